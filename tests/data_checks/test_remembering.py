import json
from dataclasses import replace

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


@pytest.mark.parametrize("damage", [b"", b"{", b'{"key": 1}'])
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
