import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from data_checks.evidence.duplicates import measure
from data_checks.splits import Split, Splits


def part(values, targets=None):
    values = np.array(values)
    return Split(values[:, None], values * 0 if targets is None else np.array(targets))


ROWS = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=1, max_size=12)


@given(ROWS, ROWS, ROWS)
def test_every_column_agrees_with_looking_at_all_pairs(train, validation, test):
    parts = [list(zip(*rows, strict=True)) for rows in (train, validation, test)]
    columns = measure(Splits(*[part(values, targets) for values, targets in parts]))
    rows = [(s, value, target) for s, p in enumerate(parts) for value, target in zip(*p, strict=True)]
    for place, (split, value, target) in enumerate(rows):
        equal = [(i, s, t) for i, (s, v, t) in enumerate(rows) if v == value and i != place]
        earlier = [i for i, s, _ in equal if s < split]
        assert columns["copied"][place] == bool(earlier)
        assert columns["copied_from"][place] == (earlier[0] if earlier else -1)
        assert columns["conflicting"][place] == any(t != target for _, _, t in equal)
        assert columns["repeated"][place] == any(s == split for _, s, _ in equal)


def test_further_test_sets_are_compared_with_what_was_learned_and_chosen_from():
    splits = Splits(part([1, 2]), part([3]), part([4, 5]), also={"clinic": part([2, 3, 4])})
    assert measure(splits)["copied"][-3:].tolist() == [True, True, False]
