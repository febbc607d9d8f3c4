import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from sklearn.datasets import load_diabetes, load_digits

from data_checks import checks as checks_module
from data_checks.checks import Check, check_splits
from data_checks.default_checks import default_checks
from data_checks.errors import DataCheckFailed, DataError
from data_checks.evidence.table import by_split
from data_checks.expectations import Judgement
from data_checks.readers import image_folder
from data_checks.splits import Split, Splits
from data_checks.splitting import split


def honest(rows=60, width=6, seed=0, **columns):
    """Three splits of different rows with two classes."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(rows, width))
    whole = Split(inputs, np.arange(rows) % 2, **columns)
    parts = [whole.take(np.arange(start, rows, 3)) for start in range(3)]
    return Splits(*parts, public=True)


def by_code(report):
    return {finding.code: finding for finding in report.findings}


def statuses(report):
    return {finding.code: finding.status for finding in report.findings}


def replaced(splits, name, **changes):
    values = {**vars(splits), name: Split(**{**fields_of(getattr(splits, name)), **changes})}
    return Splits(**values)


def fields_of(split):
    names = ("inputs", "targets", "ids", "groups", "times", "weights", "attributes")
    return {name: getattr(split, name) for name in names}


def cut(inputs, targets, *ends):
    parts = np.split(np.arange(len(targets)), ends)
    return Splits(*[Split(inputs[part], targets[part]) for part in parts[:3]])


def digits():
    data = load_digits()
    return cut(data.images[:, None].astype(np.float32), data.target, 897, 1097)


def modular_addition():
    pairs = np.array(list(itertools.product(range(31), repeat=2)))
    pairs = np.random.default_rng(0).permutation(pairs)
    return cut(pairs, pairs.sum(1) % 31, 673, 769)


def diabetes():
    # Scaled, it is scaled on all of its rows, which is a finding.
    data = load_diabetes(scaled=False)
    return cut(data.data, data.target, 300, 350)


@pytest.mark.parametrize("make", [digits, modular_addition, diabetes])
def test_shipped_data_pass_and_every_leak_planted_in_them_is_found(make):
    report = check_splits(make())
    assert report.passed, report.sentence
    assert not report.left_out.any()
    assert {f.vouched_for for f in report.findings} <= {True, None}
    assert by_code(report)["DC110"].share_found == 1.0


def test_honest_rows_pass():
    report = check_splits(honest())
    assert set(statuses(report).values()) == {"passed", "not applicable"}
    assert report.fingerprints == honest().fingerprints


def test_a_test_row_copied_from_train_fails_and_both_rows_are_named():
    splits = honest(ids=np.array([f"r{i}" for i in range(60)]))
    inputs = splits.test.inputs.copy()
    inputs[4] = splits.train.inputs[7]
    report = check_splits(replaced(splits, "test", inputs=inputs), self_test=False)
    finding = by_code(report)["DC110"]
    assert (finding.status, finding.rows) == ("failed", ("r14",))
    assert "test row r14 is train row r21" in finding.sentence
    with pytest.raises(DataCheckFailed, match="DC110"):
        report.raise_if_failed()


def test_private_rows_go_by_the_same_salted_key_as_their_copies():
    splits = honest(ids=np.array([f"secret{i}" for i in range(60)]))
    inputs = splits.test.inputs.copy()
    inputs[4] = splits.train.inputs[7]
    private = Splits(splits.train, splits.validation, replaced(splits, "test", inputs=inputs).test)
    report = check_splits(private, salt="pepper", self_test=False)
    finding = by_code(report)["DC110"]
    assert f"test row {finding.rows[0]} is train row {finding.rows[0]}" in finding.sentence
    assert "secret" not in str(report.as_dict())
    assert not report.evidence.astype(str).stack().str.contains("secret").any()


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.sets(st.integers(0, 19), min_size=1, max_size=5))
def test_planted_copies_are_always_found(seed, places):
    splits = honest(seed=seed)
    inputs = splits.test.inputs.copy()
    inputs[sorted(places)] = splits.train.inputs[sorted(places)]
    report = check_splits(replaced(splits, "test", inputs=inputs), self_test=False)
    expected = splits.test.ids[sorted(places)].astype(str).tolist()
    assert list(by_code(report)["DC110"].rows) == expected


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 1000))
def test_the_order_of_the_rows_changes_no_finding(seed):
    rng = np.random.default_rng(seed)
    splits = honest(seed=seed, rows=300)
    inputs = splits.test.inputs.copy()
    inputs[0], inputs[1] = splits.train.inputs[3], splits.train.inputs[4] * (1 + 1e-5)
    splits = replaced(splits, "test", inputs=inputs)
    mixed = Splits(*[p.take(rng.permutation(len(p))) for p in splits.named().values()], public=True)
    plain, other = check_splits(splits, self_test=False), check_splits(mixed, self_test=False)
    assert statuses(plain) == statuses(other)
    assert by_code(plain)["DC110"].status == "failed"
    assert [set(f.rows) for f in plain.findings] == [set(f.rows) for f in other.findings]
    assert plain.left_out.sum() == other.left_out.sum() == 1


COLUMN = st.sampled_from(["whole", "number", "missing", "text", "constant", "moment"])


@settings(max_examples=15, deadline=None)
@given(st.lists(COLUMN, min_size=1, max_size=6), st.integers(1, 30), st.integers(0, 99), st.booleans())
def test_no_generated_table_crashes_it(kinds, rows, seed, values):
    rng = np.random.default_rng(seed)

    def part():
        make = {
            "whole": lambda: rng.integers(-3, 4, rows),
            "number": lambda: rng.normal(size=rows) * 10.0 ** rng.integers(-100, 100),
            "missing": lambda: np.where(rng.random(rows) < 0.5, np.nan, 1.0),
            "text": lambda: rng.choice(np.array(["a", "B ", None], object), rows),
            "constant": lambda: np.ones(rows),
            "moment": lambda: rng.integers(0, 9, rows).astype("datetime64[D]"),
        }
        inputs = {f"c{place}": make[kind]() for place, kind in enumerate(kinds)}
        targets = rng.normal(size=rows) if values else rng.integers(-1, 3, rows)
        return Split(inputs, targets, groups=rng.integers(0, 99, rows), times=rng.integers(0, 99, rows))

    report = check_splits(Splits(part(), part(), part()))
    unanswered = {code for code, status in statuses(report).items() if status == "error"}
    # Nothing is near rows of which none is complete; that they are not has failed already. Of fewer than 16
    # train rows nobody can tell how near honest rows come.
    assert unanswered <= {"DC120", "DC122"}, unanswered
    assert not unanswered or rows < 16 or statuses(report)["DC101"] == "failed"


def test_near_copies_are_left_out_and_fail_above_half_a_percent():
    splits = honest(rows=900)
    for count, status in ((0, "passed"), (1, "warned"), (2, "failed")):
        inputs = splits.test.inputs.copy()
        inputs[:count] = splits.train.inputs[:count] + 1e-4
        report = check_splits(replaced(splits, "test", inputs=inputs), self_test=False)
        assert by_code(report)["DC120"].status == status
        assert np.flatnonzero(report.left_out).tolist() == list(range(count))
        assert len(splits.test.take(~report.left_out)) == 300 - count


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("DC101", {"inputs": np.full((20, 6), np.nan)}),
        ("DC102", {"inputs": np.zeros((20, 5))}),
        ("DC102", {"inputs": {"a": np.zeros(20)}}),
        ("DC102", {"targets": np.linspace(0, 1, 20)}),
        ("DC103", {"targets": np.arange(20) - 1}),
        ("DC103", {"targets": np.array(["a", "b"] * 10)}),
        ("DC104", {"targets": np.zeros(20, int)}),
        ("DC104", {"targets": np.arange(20) % 3}),
    ],
)
def test_bad_test_rows_are_a_failed_finding(code, change):
    report = check_splits(replaced(honest(), "test", **change))
    assert by_code(report)[code].status == "failed"
    assert not report.passed


def test_one_class_and_one_row_fail():
    one = Split(np.zeros((1, 4)), np.zeros(1, int))
    report = check_splits(Splits(one, one, one))
    assert by_code(report)["DC104"].sentence == "There is one class only (0), and a choice needs two."
    assert by_code(report)["DC105"].status == "failed"


def test_declared_classes_are_asked_for():
    report = check_splits(honest(), classes=3, self_test=False)
    assert by_code(report)["DC104"].sentence == "train has no row of class 2; test has no row of class 2."
    assert by_code(report)["DC107"].status == "warned"


def test_constant_columns_and_repeated_rows_warn():
    splits = honest()
    splits.train.inputs[:, 2] = 5.0
    splits.train.inputs[2] = splits.train.inputs[0]
    report = check_splits(splits, self_test=False)
    assert report.passed
    assert by_code(report)["DC106"].sentence == "1 input value is the same in every train row: inputs[2]."
    assert (by_code(report)["DC111"].status, by_code(report)["DC112"].status) == ("passed", "warned")


def test_shared_groups_and_wrong_order_fail():
    splits = honest(groups=np.array([f"g{i // 2}" for i in range(60)]), times=np.arange(60))
    report = check_splits(splits)
    assert (by_code(report)["DC130"].status, by_code(report)["DC140"].status) == ("failed", "failed")
    assert by_code(report)["DC130"].vouched_for
    assert by_code(report)["DC140"].vouched_for


def test_groups_in_one_split_only_are_an_error_that_says_so():
    report = check_splits(replaced(honest(), "test", groups=np.arange(20)))
    assert by_code(report)["DC130"].status == "error"
    assert "train has no groups" in by_code(report)["DC130"].sentence
    assert not report.passed


def own(measure, column="bad", **named):
    return Check("OWN001", "Mine", "Is it fine?", column, measure, **named)


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (lambda splits: 1 / 0, "ZeroDivisionError"),
        (lambda splits: {"bad": [True]}, r"of shape \(60,\), got \(1,\)"),
        (lambda splits: {"other": np.zeros(60)}, "nothing measured the column bad"),
        (lambda splits: {"split": np.zeros(60)}, "must be new"),
        (lambda splits: {"bad": np.array(["x"] * 60)}, "true or false, or numbers"),
        (lambda splits: {"bad": np.full(60, np.nan)}, "0 rows were looked at, of 60"),
    ],
)
def test_an_own_check_that_measures_nothing_useful_does_not_pass(measure, said):
    report = check_splits(honest(), [own(measure)])
    assert statuses(report) == {"OWN001": "error"}
    assert not report.passed
    assert by_code(report)["OWN001"].sentence.count("\n") == 0
    with pytest.raises(DataCheckFailed, match=said):
        report.raise_if_failed()


def test_an_own_check_is_an_ordinary_object():
    def measure(splits):
        return {"bad": by_split(splits, lambda name, split: split.inputs[:, 0] > 1.5)}

    report = check_splits(honest(), [own(measure, severity="warn")])
    expected = honest().test.ids[honest().test.inputs[:, 0] > 1.5].astype(str).tolist()
    assert list(report.findings[0].rows) == expected
    assert report.passed


def test_an_unexpected_defect_travels_up():
    def measure(splits):
        raise RuntimeError("a defect")

    with pytest.raises(RuntimeError, match="a defect"):
        check_splits(honest(), [own(measure)])


@pytest.mark.parametrize(
    "judgements",
    [
        {},
        {"DC110": Judgement(met=True, offending=3)},
        {"DC110": Judgement(met=True, offending=0, error="odd")},
    ],
    ids=["no result", "another count", "an error"],
)
def test_a_result_that_cannot_be_believed_is_an_error(judgements, monkeypatch):
    monkeypatch.setattr("data_checks.expectations.judge_evidence", lambda *a, **k: judgements)
    report = check_splits(honest(), self_test=False)
    assert by_code(report)["DC110"].status == "error"


def test_two_checks_of_one_code_are_refused():
    with pytest.raises(DataError, match="OWN001 more than once"):
        check_splits(honest(), [own(lambda splits: {}), own(lambda splits: {})])


def test_the_evidence_alone_decides_what_great_expectations_says():
    # The self test relies on this: it measures planted rows, and does not judge them again.
    splits = honest(rows=300)
    splits.test.inputs[:3] = splits.train.inputs[:3]
    report = check_splits(splits, self_test=False)
    for check in [c for c in default_checks() if c.column in report.evidence]:
        offending = bool(checks_module.offends(report.evidence, check).any())
        assert (statuses(report)[check.code] == "passed") == (not offending)


def test_pages_are_written_only_where_asked(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    check_splits(honest())
    assert not list(tmp_path.iterdir())
    check_splits(honest(), docs=tmp_path / "docs")
    assert (tmp_path / "docs" / "report.html").is_file()
    assert (tmp_path / "docs" / "index.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["docs"]
    assert capfd.readouterr() == ("", "")


def test_a_folder_of_pictures_is_checked_from_end_to_end(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for number in range(60):
            Image.fromarray(rng.integers(0, 256, (9, 8), np.uint8)).save(tmp_path / name / f"{number}.png")
    splits = split(image_folder(tmp_path))
    report = check_splits(splits, classes=2)
    assert report.passed, report.sentence
    assert by_code(report)["DC120"].vouched_for
    copy = tmp_path / splits.test.ids[0]
    copy.write_bytes((tmp_path / splits.train.ids[0]).read_bytes())
    again = Splits(*[p.take(np.arange(len(p))) for p in splits.named().values()], public=True)
    assert by_code(check_splits(again, self_test=False))["DC110"].rows == (splits.test.ids[0],)
    copy.write_bytes(copy.read_bytes()[:60])
    with pytest.raises((DataError, DataCheckFailed), match="cannot be read as a picture"):
        check_splits(Splits(*[p.take(np.arange(len(p))) for p in splits.named().values()])).raise_if_failed()


@pytest.mark.parametrize("name", ["train", "validation", "test"])
def test_a_split_without_rows_is_refused(name):
    splits = honest()
    nothing = getattr(splits, name).take(np.arange(0))
    with pytest.raises(DataError, match=f"{name} must have at least one row"):
        check_splits(Splits(**{**vars(splits), name: nothing}))


def test_train_and_test_can_be_all_that_there_is():
    splits = honest(groups=np.arange(60), times=np.arange(60) % 3)
    inputs = splits.test.inputs.copy()
    inputs[4] = splits.train.inputs[6]
    splits = replaced(splits, "test", inputs=inputs)
    alone = Splits(splits.train, splits.train.take(np.arange(0)), splits.test, public=True)
    report = check_splits(alone, needs_validation=False)
    others = {c: s for c, s in statuses(report).items() if s not in ("passed", "not applicable")}
    assert others == {"DC110": "failed"}
    assert set(report.evidence["split"]) == {"train", "test"}
    assert all(f.vouched_for is not False for f in report.findings)


@pytest.mark.parametrize("public", [True, False])
def test_what_others_say_of_private_rows_is_not_repeated(public):
    def measure(splits):
        return {"odd": by_split(splits, lambda name, split: float("Jane Doe"))}

    own = Check("OWN001", "Odd", "Is it odd?", "odd", measure)
    sentence = check_splits(replace(honest(), public=public), [own]).findings[0].sentence
    assert ("Jane Doe" in sentence) == public
    assert public or "ValueError, whose message may hold values of rows" in sentence
