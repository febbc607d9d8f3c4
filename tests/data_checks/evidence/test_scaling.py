import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from data_checks.evidence import scaling
from data_checks.evidence.preparation import poolings
from data_checks.splits import Split, Splits

SCALERS = [
    StandardScaler(),
    StandardScaler(with_std=False),
    MinMaxScaler(),
    MinMaxScaler((-1, 1)),
    MaxAbsScaler(),
    RobustScaler(),
]


def splits_of(inputs, seed=0):
    order = np.random.default_rng(seed).permutation(len(inputs))
    parts = np.split(order, [len(order) // 2, 3 * len(order) // 4])
    return Splits(*[Split(inputs[rows], rows % 2) for rows in parts])


def scaled(splits, scaler, over, kind=np.float64):
    """The splits as a scaler makes them that was fitted on some of them."""
    fitted = scaler.fit(np.concatenate([splits.named()[name].inputs for name in over]))
    parts = [fitted.transform(part.inputs).astype(kind) for part in splits.named().values()]
    return Splits(*[Split(rows, np.arange(len(rows)) % 2) for rows in parts])


def told(splits):
    evidence = scaling.measure(splits)
    assert evidence.columns["scaled_on_more"].max() == len(evidence.facts)
    return evidence.facts


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
@pytest.mark.parametrize("over", [("train", "test"), ("train", "validation", "test")])
def test_a_scaler_of_scikit_learn_is_found_where_it_saw_test(load, scaler, over):
    missed = 0
    for seed in range(5):
        splits = splits_of(load().data, seed)
        pooled, alone = (scaled(splits, scaler, names).train.inputs for names in (over, ("train",)))
        facts = told(scaled(splits, scaler, over))
        # Where no extreme value is of test, the same numbers come of train alone.
        missed += bool(facts) == np.array_equal(pooled, alone)
        if isinstance(scaler, StandardScaler):
            assert {fact.over for fact in facts} == {over}
    # A width from 2.0 to 4.4 in steps of 0.1 may be scaled to steps that people write.
    assert missed <= (1 if load is load_iris and isinstance(scaler, MinMaxScaler) else 0)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer])
@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
def test_a_scaler_that_saw_train_alone_is_fine(load, scaler):
    for seed in range(5):
        assert told(scaled(splits_of(load().data, seed), scaler, ("train",))) == ()


@pytest.mark.parametrize("scaler", SCALERS, ids=repr)
def test_32_bits_hide_nothing_and_pretend_nothing(scaler):
    splits = splits_of(load_wine().data)
    assert told(scaled(splits, scaler, ("train", "test"), np.float32))
    assert told(scaled(splits, scaler, ("train",), np.float32)) == ()
    stored = scaled(splits, scaler, ("train", "test"), np.float32)
    assert told(Splits(*[Split(p.inputs.astype(float), p.targets) for p in stored.named().values()]))


def test_scikit_learns_scaled_diabetes_is_such_data_and_the_other_is_not():
    assert len(told(splits_of(load_diabetes().data))) == 10
    assert told(splits_of(load_diabetes(scaled=False).data)) == ()


@pytest.mark.parametrize(
    "make",
    [
        lambda rng: rng.integers(0, 2, (90, 5)).astype(float),
        lambda rng: np.eye(30)[rng.integers(0, 30, 90)],
        lambda rng: rng.choice([-1.0, 1.0], (90, 4)),
        lambda rng: rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], (90, 4)),
        lambda rng: np.round(rng.random((90, 4)), 1),
        lambda rng: rng.normal(size=(90, 4)),
    ],
    ids=["yes or no", "one-hot", "signs", "half steps", "shares", "noise"],
)
def test_small_honest_tables_are_not_taken_for_scaled(make):
    for seed in range(30):
        assert told(splits_of(make(np.random.default_rng(seed)), seed)) == ()


def test_hours_of_the_day_as_angles_are_not_taken_for_scaled():
    angles = 2 * np.pi * np.tile(np.arange(24), 20) / 24
    rng = np.random.default_rng(0)
    table = np.column_stack([np.sin(angles), np.cos(angles), rng.normal(5, 1, (480, 5))])
    assert told(splits_of(table)) == ()


def test_empty_and_constant_columns_are_left_alone():
    table = np.column_stack([np.full(90, np.nan), np.zeros(90), np.full(90, 1e300)])
    assert told(splits_of(table)) == ()


def test_without_validation_there_is_one_set_of_rows_to_scale_on():
    part = Split(np.zeros((3, 2)), np.zeros(3, int))
    assert poolings(Splits(part, part.take(np.arange(0)), part)) == [("train", "test")]
    assert ("train", "validation", "test", "more") in poolings(Splits(part, part, part, {"more": part}))


def test_whole_numbers_leave_no_trace():
    assert "fractions" in scaling.why_not(splits_of(np.arange(90).reshape(30, 3)))
    assert scaling.why_not(splits_of(np.ones((30, 3)))) == ""
