import numpy as np
import pytest

from data_checks.evidence import names
from data_checks.splits import Split, Splits

ROWS = 120


def splits_of(ids=None, targets=None, order=None, times=None):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, ROWS) if targets is None else targets
    order = rng.permutation(ROWS) if order is None else order
    parts = np.split(order, [60, 90])

    def part(rows):
        own = None if ids is None else ids[rows]
        when = None if times is None else times[rows]
        return Split(rng.normal(size=(len(rows), 2)), targets[rows], ids=own, times=when)

    return Splits(*[part(rows) for rows in parts])


def told(**how):
    evidence = names.measure(splits_of(**how))
    assert evidence.columns["telling_names"].max() == len(evidence.facts)
    return {proxy.name: proxy.how for proxy in evidence.facts}


TARGETS = np.arange(ROWS) // 60
KINDS = np.array(["cat", "dog"])[TARGETS]


def test_rows_in_any_order_with_plain_numbers_say_nothing():
    assert told() == {}
    assert told(ids=np.arange(ROWS), targets=np.arange(ROWS) % 2) == {}


@pytest.mark.parametrize(
    ("ids", "how"),
    [
        (np.arange(ROWS), ""),
        (np.array([f"row-{i:05}" for i in range(ROWS)]), "by a number in its text"),
        (
            np.array([f"all/{kind}.{i * 7919 % 999}.png" for i, kind in enumerate(KINDS)]),
            "by a word in its text",
        ),
    ],
)
def test_ids_that_tell_the_target_are_found(ids, how):
    assert told(ids=ids, targets=TARGETS) == {"the ids of the rows": how}


def test_the_folder_of_a_picture_is_its_class_by_construction():
    ids = np.array([f"{kind}/{i * 7919 % 999}.png" for i, kind in enumerate(KINDS)])
    assert told(ids=ids, targets=TARGETS) == {}


def sorted_rows(times=None):
    targets = np.arange(ROWS) % 2
    order = np.concatenate([np.sort(part) for part in np.split(np.arange(ROWS), [60, 90])])
    by_class = [part[np.argsort(targets[part], kind="stable")] for part in np.split(order, [60, 90])]
    moments = None if times is None else np.argsort(np.concatenate(by_class))
    return told(targets=targets, order=np.concatenate(by_class), times=moments)


def test_rows_sorted_by_class_are_found_where_a_split_has_enough_rows():
    assert sorted_rows() == {"the order of the train rows": ""}


def test_the_order_of_time_is_no_news():
    assert sorted_rows(times=True) == {}


def test_numbers_that_rise_with_the_rows_say_what_the_order_says():
    values = np.sort(np.random.default_rng(0).normal(size=ROWS))
    found = told(ids=np.arange(ROWS) * 3, targets=values, order=np.arange(ROWS))
    assert found == {"the order of the train rows": ""}


def test_the_order_of_folders_that_are_the_classes_is_no_news():
    classes = np.repeat(["cat", "dog"], 60)
    order = np.random.default_rng(0).permutation(120)
    ids = np.array([f"{name}/{number}.png" for name, number in zip(classes, order, strict=True)])
    targets, inputs = np.repeat([0, 1], 60), np.zeros((120, 1))
    plain = Split(inputs, targets, ids=ids)
    folders = Split(inputs, targets, ids=ids, attributes={"class": classes})
    assert names.measure(Splits(plain, plain, plain)).facts
    assert not names.measure(Splits(folders, folders, folders)).facts
