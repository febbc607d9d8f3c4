import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine

from data_checks.evidence import proxies
from data_checks.splits import Split, Splits


def splits_of(inputs, targets, seed=0):
    order = np.random.default_rng(seed).permutation(len(targets))
    columns = inputs if isinstance(inputs, dict) else {"inputs": inputs}
    parts = np.split(order, [len(order) // 2, 3 * len(order) // 4])

    def part(rows):
        taken = {name: column[rows] for name, column in columns.items()}
        return Split(taken if isinstance(inputs, dict) else taken["inputs"], targets[rows])

    return Splits(*[part(rows) for rows in parts])


def told(inputs, targets):
    evidence = proxies.measure(splits_of(inputs, targets))
    for name, fully in (("proxies", True), ("near_proxies", False)):
        count = sum(proxy.reading.fully == fully for proxy in evidence.facts)
        train = len(targets) // 2
        assert set(evidence.columns[name][:train]) == {count}
        assert not evidence.columns[name][train:].any()
    return {proxy.name: proxy for proxy in evidence.facts}


def noise(rows, seed=1):
    return np.random.default_rng(seed).normal(size=rows)


@pytest.mark.parametrize("load", [load_iris, load_wine, load_breast_cancer, load_digits])
def test_honest_tables_have_no_proxy(load):
    data = load()
    assert told(data.data, data.target) == {}


CLASSES = np.arange(300) % 3


@pytest.mark.parametrize(
    ("column", "how"),
    [
        (CLASSES * -2.0 + noise(300) * 1e-3, ""),
        (np.array([7, 1, 4])[CLASSES], ""),
        (np.array(["b", "A ", "c"], object)[CLASSES], "by its categories"),
        (
            np.array([f"case {i} of kind {c}" for i, c in enumerate(CLASSES)], object),
            "by a number in its text",
        ),
        (np.array([f"x{i} was {'abc'[c]}" for i, c in enumerate(CLASSES)], object), "by a word in its text"),
        (np.datetime64("2024-01-01") + CLASSES * 40, ""),
    ],
)
def test_a_target_in_any_disguise_is_found_and_how_it_shows_is_said(column, how):
    found = told({"plain": noise(300), "planted": column}, CLASSES)
    assert list(found) == ["planted"]
    assert (found["planted"].how, found["planted"].reading.fully) == (how, True)


def test_categories_that_are_in_no_order_are_found():
    targets = np.arange(400) % 2
    codes = np.random.default_rng(0).integers(0, 20, 400) * 2 + targets
    shuffled = np.random.default_rng(1).permutation(40)[codes].astype(float)
    assert told({"planted": shuffled, "plain": noise(400)}, targets)["planted"].how == "by its categories"


def test_a_column_that_is_missing_for_one_class_is_found():
    targets = np.arange(100) % 2
    amount = np.where(targets == 1, np.nan, noise(100))
    assert told({"amount": amount}, targets)["amount"].how == "by whether it is missing"


def test_a_value_in_a_sentence_gives_a_value_away():
    values = noise(100) ** 2
    texts = np.array([f"about {value:.4f} litres" for value in values], object)
    found = told({"text": texts, "plain": noise(100, 3)}, values)
    assert list(found) == ["text"]


@pytest.mark.parametrize("values", [False, True])
def test_a_hundred_rows_suffice_for_a_perfect_proxy(values):
    targets = noise(100) if values else np.arange(100) % 2
    assert told(np.column_stack([noise(100, 2), targets]), targets)["inputs[1]"].reading.fully


def test_a_nearly_perfect_column_is_near_where_that_is_certain():
    targets = np.arange(4000) % 2
    column = 3.3 * targets + noise(4000)
    assert told({"near": column}, targets)["near"].reading.nearly
    few = np.arange(100) % 2
    assert told({"near": 3.3 * few + noise(100, 5)}, few) == {}


def test_names_that_are_all_different_say_nothing():
    targets = np.arange(300) % 2
    names = np.array([f"{abs(hash(str(i))) % 10**6:x}" for i in range(300)], object)
    assert told({"name": names}, targets) == {}


def test_what_repeated_rows_share_is_not_learned_from_one_half_and_tried_on_the_other():
    # Each row stands twice, so that a name of its own would be known in both halves.
    targets = np.repeat(np.arange(150) % 2, 2)
    names = np.repeat(np.array([f"n{i * 7919 % 1000}q" for i in range(150)], object), 2)
    assert told({"name": names, "plain": np.repeat(noise(150), 2)}, targets) == {}
