import logging

import pytest

from flows.progress import doing, share_done, shown_to_a_person


def test_where_nobody_watches_a_step_is_one_log_line(caplog):
    with caplog.at_level(logging.INFO, "wdgate"), doing("Training"):
        share_done(0.5)
    assert [record.message.split(":")[0] for record in caplog.records] == ["Training"]


def test_where_a_person_watches_a_step_is_one_line_on_standard_error(capsys):
    with shown_to_a_person(), doing("Training"):
        share_done(0.5)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("Training") == 1


def test_on_a_pipe_a_step_is_told_of_when_it_starts(capsys):
    with shown_to_a_person(), doing("Starting Prefect's server"):
        assert capsys.readouterr().err == "  Starting Prefect's server ...\n"


def test_a_step_that_fails_is_not_told_as_done(capsys, monkeypatch):
    monkeypatch.setattr("flows.progress._LONG", 0.0)
    with pytest.raises(ValueError, match="no"), shown_to_a_person(), doing("Training"):
        raise ValueError("no")
    assert capsys.readouterr().err.rstrip() == "  Training ..."
    with shown_to_a_person(), doing("Training"):
        pass
    assert capsys.readouterr().err.startswith("  Training ...\n  Training 0.0 s")
