import numpy as np
import pandas as pd
import pytest

from data_checks.check import Check
from data_checks.expectations import judge_evidence


def check(code="OWN001", **named):
    return Check(code, "title", "question?", named.pop("column", "bad"), lambda splits: {}, **named)


def table(bad, split=None):
    split = ["test"] * len(bad) if split is None else split
    return pd.DataFrame({"split": split, "id": [f"row{i}" for i in range(len(bad))], "bad": bad})


def judge(frame, *checks, **named):
    return judge_evidence(frame, checks or [check()], public=named.pop("public", True), **named)


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("bad", [[False, False], [0, 0], [0.0, -1.0]])
def test_a_column_without_offending_rows_is_met(bad, public):
    judgement = judge(table(bad), public=public)["OWN001"]
    assert (judgement.met, judgement.offending, judgement.error) == (True, 0, "")


@pytest.mark.parametrize(("bad", "offending"), [([0, 0, 0], 0), ([3, 3, 0], 2), ([0.5, 0.5, 0], 2)])
def test_a_split_offends_as_a_whole(bad, offending):
    judgement = judge(table(bad, ["train", "train", "test"]), check(per_row=False))["OWN001"]
    assert (judgement.met, judgement.offending, judgement.error) == (offending == 0, offending, "")


@pytest.mark.parametrize("public", [True, False])
@pytest.mark.parametrize("bad", [[False, True, True], [0, 2, 1], [0.0, np.inf, 1e-9]])
def test_offending_rows_are_counted(bad, public):
    judgement = judge(table(bad), public=public)["OWN001"]
    assert (judgement.met, judgement.offending, judgement.error) == (False, 2, "")


def test_nothing_to_judge_judges_nothing():
    assert judge_evidence(table([False]), [], public=True) == {}


@pytest.mark.parametrize("per_row", [True, False])
@pytest.mark.parametrize(
    "frame",
    [
        table([]),
        table([np.nan, np.nan]),
        table([0.0, np.nan]),
        table([False, False]).rename(columns={"bad": "good"}),
        table(["a", "b"]),
    ],
    ids=["empty frame", "all missing", "one missing", "no column", "text"],
)
def test_what_great_expectations_lets_pass_or_raises_on_is_an_error(frame, per_row, capfd):
    judgement = judge(frame, check(per_row=per_row))["OWN001"]
    assert judgement.error
    assert not judgement.met
    assert capfd.readouterr() == ("", "")


def test_a_split_that_a_check_asks_of_and_that_has_no_rows_is_an_error():
    assert judge(table([False], ["train"]), check(asked_of="test"))["OWN001"].error


def test_only_the_rows_asked_of_are_judged():
    frame = table([True, False, True], ["train", "test", "validation"])
    assert judge(frame, check(asked_of="test"))["OWN001"].met


@pytest.mark.parametrize(("offending", "met"), [(0, True), (5, True), (6, False)])
def test_a_tolerated_share_is_met_up_to_its_limit(offending, met):
    frame = table(np.arange(1000) < offending)
    judgement = judge(frame, check(tolerated=0.005))["OWN001"]
    assert (judgement.met, judgement.offending) == (met, offending)


def test_a_warning_does_not_hide_what_was_found():
    judgement = judge(table([True]), check(severity="warn"))["OWN001"]
    assert (judgement.met, judgement.offending) == (False, 1)


def test_two_checks_of_one_column_are_judged_apart():
    frame = table([True, False], ["train", "test"])
    judgements = judge(frame, check(), check("OWN002", asked_of="test"))
    assert (judgements["OWN001"].met, judgements["OWN002"].met) == (False, True)


def test_data_docs_list_the_failing_rows_of_public_data_only(tmp_path):
    frame = table([False] * 9 + [True])
    for public in (True, False):
        judge(frame, public=public, docs=tmp_path / str(public))
        pages = [page.read_text() for page in (tmp_path / str(public)).rglob("*.html")]
        assert pages
        assert any("row9" in page for page in pages) == public


@pytest.mark.parametrize("per_row", [True, False])
def test_data_docs_ask_in_words(tmp_path, per_row):
    judge(table([True]), check(per_row=per_row), docs=tmp_path)
    assert any("question?" in page.read_text() for page in tmp_path.rglob("*.html"))


def test_nothing_is_printed_and_nothing_is_written_without_a_folder(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    judge(table([True, False]))
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())
