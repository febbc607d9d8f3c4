"""The questions that are asked of columns and of distributions: what they say, and whether they vouch."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

from data_checks.checks import check_splits
from data_checks.kinds import form, labels, preparation, shift, targets
from data_checks.self_test import vouch
from data_checks.splits import Split, Splits

CHECKS = (*targets.CHECKS, *preparation.CHECKS, *shift.CHECKS, *labels.CHECKS, *form.checks(None)[-2:])


def cut(inputs, truth, seed=0):
    order = np.random.default_rng(seed).permutation(len(truth))
    parts = np.split(order, [6 * len(order) // 10, 8 * len(order) // 10])
    if isinstance(inputs, dict):
        return Splits(*[Split({n: c[rows] for n, c in inputs.items()}, truth[rows]) for rows in parts])
    return Splits(*[Split(inputs[rows], truth[rows]) for rows in parts])


def breast_cancer():
    data = load_breast_cancer()
    return cut(data.data, data.target)


def diabetes():
    data = load_diabetes(scaled=False)
    return cut(data.data, data.target)


def mixed():
    rng = np.random.default_rng(0)
    truth = np.arange(900) % 2
    sites = rng.choice(np.array(["north", "south", None], object), 900)
    return cut({"age": rng.integers(18, 90, 900), "dose": rng.normal(truth, 2), "site": sites}, truth)


@pytest.mark.parametrize("make", [breast_cancer, diabetes, mixed])
def test_honest_tables_pass_and_all_plants_are_found(make):
    report = check_splits(make(), CHECKS)
    assert {finding.status for finding in report.findings} <= {"passed", "not applicable"}
    missed = {f.code: f.shares for f in report.findings if f.vouched_for is False}
    assert not missed
    assert sum(finding.vouched_for is True for finding in report.findings) >= 8


@pytest.mark.parametrize("codes", [("DC150", "DC151", "DC153"), ("DC160", "DC161", "DC162"), ("DC109",)])
def test_pictures_say_why_they_are_not_asked(codes):
    part = Split(np.zeros((60, 28, 28)), np.arange(60) % 2)
    asked = [check for check in CHECKS if check.code in codes]
    report = check_splits(Splits(part, part, part), asked, self_test=False)
    assert {finding.status for finding in report.findings} == {"not applicable"}
    assert all("pixel of a picture" in finding.sentence for finding in report.findings)


def finding_of(code, splits):
    (check,) = [check for check in CHECKS if check.code == code]
    (finding,) = check_splits(splits, [check], self_test=False).findings
    return finding


def test_columns_that_give_the_target_away_are_named():
    data = load_iris()
    finding = finding_of("DC150", cut({"species": data.target * 1.0, "width": data.data[:, 0]}, data.target))
    assert (finding.status, finding.columns) == ("failed", ("species",))
    assert "species (right for 100 % of pairs of rows)" in finding.sentence


def test_columns_that_were_scaled_on_test_are_named():
    scaled = load_diabetes()
    finding = finding_of("DC160", cut(scaled.data, scaled.target))
    assert (finding.status, len(finding.columns)) == ("warned", 10)
    assert "10 columns: inputs[0] (mean 0 over train and validation and test" in finding.sentence


def test_a_pair_is_named_in_words():
    rng = np.random.default_rng(0)
    truth, noise = np.arange(300) % 2, 9 * rng.normal(size=300)
    finding = finding_of(
        "DC153", cut({"total": noise + truth, "part": noise, "x": rng.normal(size=300)}, truth)
    )
    assert finding.status == "failed"
    assert "the difference of part and total" in finding.sentence


def test_other_checks_speak_in_whole_sentences():
    rng = np.random.default_rng(0)
    inputs, truth = rng.normal(size=(900, 4)), np.repeat([0, 1, 2], [450, 445, 5])
    parts = np.split(rng.permutation(900), [500, 700])
    moved = [Split(inputs[rows] + 5 * (place == 2), truth[rows]) for place, rows in enumerate(parts)]
    splits = Splits(*moved)
    assert "few are of class 2" in finding_of("DC108", splits).sentence
    assert "test rows beyond its range" in finding_of("DC109", splits).sentence
    assert "Rows of test can be told from rows of train (AUC 1.00" in finding_of("DC170", splits).sentence
    in_order = Splits(*[part.take(np.argsort(part.targets)) for part in moved])
    assert "the order of the train rows (right for 100 % of pairs" in finding_of("DC152", in_order).sentence


def test_wrong_labels_are_listed_with_the_class_around_them():
    rng = np.random.default_rng(0)
    truth = np.arange(600) % 2
    inputs = rng.normal(size=(600, 4)) + 8 * truth[:, None]
    splits = cut(inputs, truth)
    wrong = np.arange(len(splits.train)) < 12
    flipped = Split(splits.train.inputs, np.where(wrong, 1 - splits.train.targets, splits.train.targets))
    finding = finding_of("DC180", Splits(flipped, splits.validation, splits.test, public=True))
    assert finding.status == "warned"
    assert "train row 0 lies among rows of class" in finding.sentence


def test_plants_leave_the_rows_as_they_were():
    splits = mixed()
    before = splits.fingerprints
    vouch(splits, CHECKS)
    assert Splits(*[Split(p.inputs, p.targets) for p in splits.named().values()]).fingerprints == before
