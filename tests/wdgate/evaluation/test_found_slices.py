import numpy as np
import pytest

from data_checks.splits import Split, Splits
from wdgate.evaluation import found_slices
from wdgate.evaluation.bounded import reported
from wdgate.evaluation.evaluation import evaluation_of
from wdgate.evaluation.found_slices import FOUND, found_by
from wdgate.evaluation.tasks import Classification, Regression

TASK = Classification(("no", "yes"))


def rows_of(seed, rows=400, **attributes):
    generator = np.random.default_rng(seed)
    columns = {"age": generator.uniform(0, 100, rows), "word": np.array(["a"] * rows)}
    named = {name: make(generator, rows) for name, make in attributes.items()}
    return Split(columns, np.arange(rows) % 2, attributes=named)


def evaluated(split, wrong, task=TASK):
    """A model that is wrong on some rows, and right on the others."""
    if isinstance(task, Regression):
        return evaluation_of("a" * 64, {"predicted": split.targets + 1.0 * wrong}, split, task)
    predicted = np.where(wrong, 1 - split.targets, split.targets)
    return evaluation_of("a" * 64, {"probs": np.eye(2)[predicted], "predicted": predicted}, split, task)


def old(split, *_, **__):
    return evaluated(split, split.inputs["age"] > 80)


def test_the_region_is_found_on_validation_and_bounded_on_test_rows(monkeypatch):
    monkeypatch.setattr(found_slices, "evaluate", lambda onnx, split, task, corruptions: old(split))
    validation, test = rows_of(0), rows_of(1)
    left_out = np.arange(len(test)) < 50
    evaluation = old(test.take(~left_out))
    found = found_by(b"", Splits(validation, validation, test), left_out, evaluation, TASK, 0.0025)
    (region,) = found[FOUND]
    assert region.value.startswith("age > ")
    assert region.bounds.rows == pytest.approx(350 * 0.2, abs=25)
    assert region.bounds.upper < 0.6
    told = reported(evaluation, TASK, 0.0025, found)["slices"]
    assert told[FOUND] == [region.as_dict()]
    assert reported(evaluation, TASK, 0.0025)["slices"] == {}


def test_attributes_of_numbers_are_cut_too():
    validation, test = (
        rows_of(seed, site=lambda generator, rows: generator.integers(0, 5, rows)) for seed in (0, 1)
    )
    both = [evaluated(split, split.attributes["site"] == 4) for split in (validation, test)]
    (region,) = found_slices.found_slices(both[0], validation, both[1], test, TASK, 0.05)[FOUND]
    assert region.value.startswith("site > 3")
    assert region.bounds.observed == 0


def test_large_errors_are_the_worse_side_of_a_regression():
    validation, test = rows_of(0), rows_of(1)
    task = Regression()
    both = [evaluated(split, split.inputs["age"] <= 30, task) for split in (validation, test)]
    (region,) = found_slices.found_slices(both[0], validation, both[1], test, task, 0.05)[FOUND]
    assert region.value.startswith("age <= ")
    assert region.bounds.observed > 0.8


def test_nothing_is_predicted_where_nothing_can_be_cut(monkeypatch):
    monkeypatch.setattr(found_slices, "evaluate", None)
    pictures = Split(np.zeros((40, 3, 3)), np.arange(40) % 2)
    table = rows_of(0)
    for splits in (Splits(pictures, pictures, pictures), Splits(table, table.take(np.arange(0)), table)):
        assert found_by(b"", splits, np.zeros(40, bool), None, TASK, 0.05) == {}
