import numpy as np
import pytest

from data_checks.evidence import encoding
from data_checks.splits import Split, Splits


def splits_of(columns, targets):
    parts = np.split(np.arange(len(targets)), [150, 200])
    return Splits(*[Split({n: c[rows] for n, c in columns.items()}, targets[rows]) for rows in parts])


def encoded(targets, rows, seed=0):
    """Random categories as the mean target of some rows."""
    categories = np.random.default_rng(seed).integers(0, 8, len(targets))
    return np.array([targets[rows][categories[rows] == c].mean() for c in range(8)])[categories]


TARGETS = {
    "two classes": np.arange(300) * 7 % 2,
    "four classes": np.arange(300) * 7 % 4,
    "values": np.random.default_rng(1).normal(size=300),
}
EVERY, TRAIN, NO_VALIDATION = np.arange(300), np.arange(150), np.r_[:150, 200:300]


def told(columns, targets):
    evidence = encoding.measure(splits_of(columns, targets))
    assert evidence.columns["encoded_on_more"].max() == len(evidence.facts)
    return [(fact.name, fact.over) for fact in evidence.facts]


@pytest.mark.parametrize("kind", TARGETS)
def test_means_of_targets_of_test_are_found(kind):
    noise = np.random.default_rng(2).normal(size=300)
    for rows, over in ((EVERY, ("train", "validation", "test")), (NO_VALIDATION, ("train", "test"))):
        columns = {"city": encoded(TARGETS[kind], rows), "noise": noise}
        assert told(columns, TARGETS[kind]) == [("city", over)]


@pytest.mark.parametrize("kind", TARGETS)
def test_means_of_targets_of_train_are_fine(kind):
    assert told({"city": encoded(TARGETS[kind], TRAIN)}, TARGETS[kind]) == []


def test_shares_of_one_of_several_classes_are_found():
    share = encoded((TARGETS["four classes"] == 2).astype(float), EVERY)
    facts = encoding.measure(splits_of({"city": share}, TARGETS["four classes"])).facts
    assert facts[0].how == "the share of class 2 in each category"


def test_the_target_itself_is_no_encoding():
    for targets in TARGETS.values():
        assert told({"copy": targets.astype(float)}, targets) == []
