import hashlib
import json
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_checks import remembering
from data_checks.default_checks import default_checks
from data_checks.remembering import asking_key, check_once
from data_checks.splits import Split, Splits


def splits_of(seed=0, **named):
    rng = np.random.default_rng(seed)
    whole = Split(rng.normal(size=(90, 5)), np.arange(90) % 2, ids=np.array([f"r{i}" for i in range(90)]))
    parts = [whole.take(np.arange(start, 90, 3)) for start in range(3)]
    return Splits(*parts, **{"public": True, **named})


CHECKS = [check for check in default_checks(2) if check.code in ("DC101", "DC110", "DC120")]


@pytest.fixture
def asked(monkeypatch):
    times = []
    real = remembering.check_splits

    def counted(*args, **named):
        times.append(args)
        return real(*args, **named)

    monkeypatch.setattr(remembering, "check_splits", counted)
    return times


def test_the_same_question_is_answered_from_the_folder(tmp_path, asked):
    splits = splits_of()
    splits.test.inputs[3] = splits.train.inputs[4] + 1e-7
    first = check_once(splits, CHECKS, tmp_path)
    second = check_once(splits, CHECKS, tmp_path)
    assert len(asked) == 1
    assert second.as_dict() == first.as_dict()
    assert second.findings == first.findings
    assert second.left_out.tolist() == first.left_out.tolist()
    assert second.evidence.equals(first.evidence)


def test_asking_again_asks_again(tmp_path, asked):
    check_once(splits_of(), CHECKS, tmp_path)
    check_once(splits_of(), CHECKS, tmp_path, again=True)
    assert len(asked) == 2


@pytest.mark.parametrize("damage", [b"", b"{", b'{"key": 1}', b"[]", b"\xff"])
def test_a_damaged_folder_is_not_believed(tmp_path, asked, damage):
    check_once(splits_of(), CHECKS, tmp_path)
    (tmp_path / "found.json").write_bytes(damage)
    check_once(splits_of(), CHECKS, tmp_path)
    assert len(asked) == 2


def test_evidence_that_was_edited_is_not_believed(tmp_path, asked):
    check_once(splits_of(), CHECKS, tmp_path)
    (tmp_path / "evidence.parquet").write_bytes((tmp_path / "evidence.parquet").read_bytes() + b" ")
    check_once(splits_of(), CHECKS, tmp_path)
    assert len(asked) == 2


def test_evidence_that_cannot_be_read_is_asked_for_again(tmp_path, asked):
    check_once(splits_of(), CHECKS, tmp_path)
    found = json.loads((tmp_path / "found.json").read_text())
    (tmp_path / "evidence.parquet").write_bytes(b"PAR1 is not all of it")
    digest = hashlib.sha256(b"PAR1 is not all of it").hexdigest()
    (tmp_path / "found.json").write_text(json.dumps({**found, "evidence": digest}))
    check_once(splits_of(), CHECKS, tmp_path)
    assert len(asked) == 2


def test_a_folder_that_vanishes_while_it_is_read_is_asked_for_again(tmp_path, asked, monkeypatch):
    folder = tmp_path / "docs"
    check_once(splits_of(), CHECKS, folder)
    real = json.loads

    def vanishing(text):
        shutil.rmtree(folder)
        return real(text)

    with monkeypatch.context() as patch:
        patch.setattr(remembering.json, "loads", vanishing)
        assert remembering._read(folder, key()) is None
    assert check_once(splits_of(), CHECKS, folder).findings
    assert len(asked) == 2


def test_who_comes_second_keeps_what_is_there_and_has_a_report(tmp_path, monkeypatch):
    folder = tmp_path / "docs"
    real = remembering._write

    def overtaken(report, made, asking):
        real(report, made, asking)
        monkeypatch.setattr(remembering, "_write", real)
        check_once(splits_of(), CHECKS, folder)

    monkeypatch.setattr(remembering, "_write", overtaken)
    report = check_once(splits_of(), CHECKS, folder)
    assert report.findings == remembering._read(folder, key()).findings
    assert [path.name for path in tmp_path.iterdir()] == ["docs"]


def test_a_folder_that_is_put_there_in_the_last_moment_stays(tmp_path, monkeypatch):
    folder, made = tmp_path / "docs", tmp_path / "made"
    for path in (folder, made):
        path.mkdir()
        (path / "whose").write_text(path.name)
    real = Path.rename

    def overtaken(path, target):
        moved = real(path, target)
        if path == folder:
            folder.mkdir()
            (folder / "whose").write_text("theirs")
        return moved

    monkeypatch.setattr(Path, "rename", overtaken)
    remembering._put(made, folder, tmp_path / "before")
    assert (folder / "whose").read_text() == "theirs"


def test_many_may_ask_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getpid", lambda: 1)
    report = check_once(splits_of(), CHECKS, tmp_path / "other")
    monkeypatch.setattr(remembering, "check_splits", _without_asking(report))
    with ThreadPoolExecutor(4) as pool:
        asked = [
            pool.submit(check_once, splits_of(), CHECKS, tmp_path / "docs", again=bool(turn % 2))
            for turn in range(40)
        ]
    assert all(each.result().findings == report.findings for each in asked)
    assert remembering._read(tmp_path / "docs", key()).findings == report.findings
    assert {path.name for path in tmp_path.iterdir()} == {"docs", "other"}


def _without_asking(report):
    def check_splits(*args, docs, **named):
        docs.mkdir(parents=True)
        (docs / "report.html").write_text("read me")
        return report

    return check_splits


def test_what_killed_runs_left_is_removed_a_day_later(tmp_path):
    old, new, other = (tmp_path / name for name in (".docs.1", ".docs.2", ".docs2.1"))
    for path in (old, new, other):
        (path / "made").mkdir(parents=True)
    yesterday = time.time() - 25 * 60 * 60
    for path in (old, other):
        os.utime(path, (yesterday, yesterday))
    check_once(splits_of(), CHECKS, tmp_path / "docs")
    assert {path.name for path in tmp_path.iterdir()} == {"docs", ".docs.2", ".docs2.1"}


def test_others_may_read_what_is_kept(tmp_path):
    check_once(splits_of(), CHECKS, tmp_path / "docs")
    (tmp_path / "plain").mkdir()
    assert (tmp_path / "docs").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_pages_that_showed_rows_are_gone_when_rows_may_not_be_shown(tmp_path):
    splits = splits_of()
    splits.test.inputs[3] = splits.train.inputs[4]
    check_once(splits, CHECKS, tmp_path)
    assert any("r12" in page.read_text() for page in tmp_path.rglob("*.html"))
    check_once(replace(splits, public=False), CHECKS, tmp_path)
    shown = [page.name for page in tmp_path.rglob("*.html") if "r12" in page.read_text()]
    assert not shown


def key(splits=None, checks=CHECKS, **named):
    return asking_key(
        splits or splits_of(), checks, named.pop("salt", ""), named.pop("code", ""), named.pop("options", {})
    )


def renamed():
    splits = splits_of()
    return replace(splits, test=replace(splits.test, ids=splits.test.ids[::-1]))


@pytest.mark.parametrize(
    "other",
    [
        lambda: key(splits_of(seed=1)),
        lambda: key(splits_of(public=False)),
        lambda: key(renamed()),
        lambda: key(checks=CHECKS[:2]),
        lambda: key(checks=[*CHECKS[:2], replace(CHECKS[2], tolerated=0.5)]),
        lambda: key(salt="x"),
        lambda: key(code="x"),
        lambda: key(options={"classes": 3}),
    ],
)
def test_whatever_changes_an_answer_changes_the_key(other):
    assert other() != key() == key()


def test_what_is_kept_is_plain_json(tmp_path):
    check_once(splits_of(), CHECKS, tmp_path)
    assert json.loads((tmp_path / "found.json").read_text())["findings"][0]["code"] == "DC101"
