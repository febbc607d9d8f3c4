import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.default_checks import default_checks
from data_checks.evidence.table import ByRows, first_rows, merge, parts_of
from data_checks.splits import Split, Splits

WORDS = np.array(["left", "Right ", "up", None], object)


def table(rng, rows):
    return {
        **{name: rng.normal(size=rows) for name in "abcde"},
        "grid": np.round(rng.normal(size=rows), 1),
        "word": rng.choice(WORDS, rows),
        "text": np.array([" ".join(rng.choice(VOCABULARY, 12)) for _ in range(rows)], object),
    }


VOCABULARY = np.array([f"word{number}" for number in range(400)])


def pictures(rng, rows):
    return rng.integers(0, 256, (rows, 16, 16)).astype(np.uint8)


def leaking(make, seed):
    """Splits in which some test rows are train rows again, in several disguises."""
    rng = np.random.default_rng(seed)
    train, test = make(rng, 90), make(rng, 60)
    for name in test if isinstance(test, dict) else [None]:
        ours, theirs = (test, train) if name is None else (test[name], train[name])
        ours[:20] = theirs[:20]
        if ours.dtype.kind == "f":
            ours[:10] += 1e-6
    targets = [rng.integers(0, 2, rows) for rows in (90, 60)]
    groups = [rng.integers(0, 40, rows) for rows in (90, 60)]
    parts = [Split(*values) for values in zip((train, test), targets, [None, None], groups, strict=True)]
    return Splits(parts[0], parts[1].take(np.arange(30, 60)), parts[1].take(np.arange(30)), public=True)


def measures(splits):
    asked = [check for check in default_checks() if not check.applies(splits)]
    return {check.measure: check.code for check in asked if isinstance(check.measure, ByRows)}


@pytest.mark.parametrize("make", [table, pictures])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 9999), size=st.integers(1, 40))
def test_parts_of_any_size_are_the_whole_bit_for_bit(make, seed, size):
    splits = leaking(make, seed)
    assert measures(splits)
    for measure, code in measures(splits).items():
        facts = measure.fit(splits)
        whole = merge([measure.rows(facts, part) for part in parts_of(splits)])
        pieces = merge([measure.rows(facts, part) for part in parts_of(splits, size)])
        for name, column in whole.items():
            assert column.tobytes() == pieces[name].tobytes(), (code, name)


@pytest.mark.parametrize("make", [table, pictures])
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 9999))
def test_the_order_of_the_rows_changes_no_answer(make, seed):
    splits = leaking(make, seed)
    rng = np.random.default_rng(seed)
    order = {name: rng.permutation(len(split)) for name, split in splits.named().items()}
    mixed = Splits(**{name: split.take(order[name]) for name, split in splits.named().items()}, public=True)
    for check in default_checks():
        if isinstance(check.measure, ByRows) and not check.applies(splits):
            plain = check.measure(splits).columns[check.column]
            other = check.measure(mixed).columns[check.column]
            for name, start in first_rows(splits).items():
                rows = slice(start, start + len(order[name]))
                assert plain[rows][order[name]].tolist() == other[rows].tolist(), (check.code, name)
