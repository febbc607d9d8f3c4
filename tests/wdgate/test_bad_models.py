"""Whatever somebody hands over as a model, nothing passes that should not, and no traceback is shown.

Each case spoils a good model, good rows or both in a way that a person does by mistake.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.errors import CannotProceed
from data_checks.splits import Split
from wdgate.evaluation.labels import Labels
from wdgate.evaluation.quantiles import Quantiles
from wdgate.evaluation.tasks import Classification, Regression
from wdgate.gates.gates import at_least, at_most, skill, within
from wdgate.judge_any import judge

TWO, THREE = Classification(("no", "yes")), Classification(("a", "b", "c"))
INTERVAL = Quantiles((0.1, 0.5, 0.9))
OF_CLASSES = (at_least("accuracy", 0.5), at_most("nll", 1.0), within("confidence_gap", 0.2), skill())
OF_LABELS = (at_least("accuracy", 0.5), skill())
OF_NUMBERS = (at_most("absolute_error", 0.5), skill())
OF_QUANTILES = (at_most("pinball", 0.5), within("coverage_gap", 0.2))
# No time is asserted, and a judgement takes some ms.
CALM = settings(deadline=None, max_examples=15)
NO_NUMBERS = st.sampled_from([np.nan, np.inf, -np.inf])


def refused(model, rows, task, gates):
    """The sentence that says why: what could not be judged, or was not let pass."""
    try:
        found = judge(model, rows, task, gates)
    except CannotProceed as error:
        sentence = str(error)
    else:
        assert not found.passed
        assert found.as_dict()["outcome"] == "refused"
        sentence = found.sentence
    assert sentence
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    return sentence


def classified(rows, classes, seed=0):
    """Probabilities that are right on nearly all rows, and the rows."""
    generator = np.random.default_rng(seed)
    targets = np.arange(rows) % classes
    probs = generator.dirichlet(np.ones(classes), rows) * 0.2
    probs[np.arange(rows), targets] += 0.8
    return {"probs": probs, "predicted": probs.argmax(axis=1)}, Split(np.arange(rows)[:, None], targets)


def measured(rows, seed=0):
    generator = np.random.default_rng(seed)
    targets = generator.normal(size=rows)
    return targets + 0.1 * generator.normal(size=rows), Split(np.arange(rows)[:, None], targets)


def test_what_is_spoiled_here_passes_before():
    for task, gates in ((TWO, OF_CLASSES), (THREE, OF_CLASSES)):
        model, rows = classified(600, len(task.classes))
        assert judge(model, rows, task, gates).passed
        assert judge({"predicted": model["predicted"]}, rows, task, OF_LABELS).passed
    predicted, rows = measured(600)
    assert judge({"predicted": predicted}, rows, Regression(), OF_NUMBERS).passed
    quantiles = {"quantiles": predicted[:, None] + np.array([-0.128, 0, 0.128])}
    assert judge(quantiles, rows, INTERVAL, OF_QUANTILES).passed


@CALM
@given(NO_NUMBERS, st.integers(0, 299), st.integers(0, 2))
def test_one_number_that_is_none_is_enough(wrong, row, column):
    model, rows = classified(300, 3)
    model["probs"][row, column] = wrong
    assert "NaN or infinite on 1 of 300 rows" in refused(model, rows, THREE, OF_CLASSES)
    predicted, rows = measured(300)
    predicted[row] = wrong
    assert "NaN or infinite" in refused({"predicted": predicted}, rows, Regression(), OF_NUMBERS)
    quantiles = np.stack([predicted] * 3, axis=1)
    assert "NaN or infinite" in refused({"quantiles": quantiles}, rows, INTERVAL, OF_QUANTILES)


@CALM
@given(st.floats(0, 10).filter(lambda factor: abs(factor - 1) > 0.01))
def test_probabilities_that_do_not_add_up_are_refused(factor):
    model, rows = classified(300, 3)
    sentence = refused({**model, "probs": model["probs"] * factor}, rows, THREE, OF_CLASSES)
    assert "probs are no probabilities" in sentence


@CALM
@given(st.integers(0, 299))
def test_probabilities_below_0_are_refused(row):
    model, rows = classified(300, 3)
    model["probs"][row] = [1.5, -0.5, 0.0]
    assert "probs are no probabilities on 1 of 300 rows" in refused(model, rows, THREE, OF_CLASSES)


@CALM
@given(st.sampled_from([0, 1, 2, 3]), st.integers(0, 100), st.sampled_from([TWO, THREE]))
def test_a_handful_of_rows_shows_nothing(count, seed, task):
    model, rows = classified(600, len(task.classes), seed)
    few = {name: values[:count] for name, values in model.items()}
    some = rows.take(np.arange(count))
    refused(few, some, task, OF_CLASSES)
    refused({"predicted": few["predicted"]}, some, task, OF_LABELS)


@CALM
@given(st.integers(0, 1), st.integers(0, 100))
def test_no_row_or_one_shows_nothing_of_numbers(count, seed):
    predicted, rows = measured(600, seed)
    some = rows.take(np.arange(count))
    refused({"predicted": predicted[:count]}, some, Regression(), OF_NUMBERS)
    quantiles = predicted[:count, None] + np.array([-0.1, 0, 0.1])
    refused({"quantiles": quantiles}, some, INTERVAL, OF_QUANTILES)


@CALM
@given(st.integers(2, 5), st.integers(0, 100))
def test_a_few_rows_do_not_make_a_bad_model_of_numbers_good(count, seed):
    predicted, rows = measured(600, seed)
    some = rows.take(np.arange(count))
    refused({"predicted": predicted[:count] + 1.0}, some, Regression(), OF_NUMBERS)
    quantiles = predicted[:count, None] + np.array([0.9, 1, 1.1])
    refused({"quantiles": quantiles}, some, INTERVAL, OF_QUANTILES)


@CALM
@given(st.integers(0, 2), st.integers(0, 100))
def test_rows_of_one_class_show_no_skill(only, seed):
    model, rows = classified(600, 3, seed)
    same = rows.targets == only
    some = {name: values[same] for name, values in model.items()}
    refused(some, rows.take(same), THREE, (skill(),))
    refused(some, rows.take(same), THREE, (at_least("auc", 0.5),))
    refused(some, rows.take(same), THREE, (at_least("balanced_accuracy", 0.3),))
    refused(some, rows.take(same), THREE, (at_least(f"recall/{'abc'[only - 1]}", 0.3),))
    refused({"predicted": some["predicted"]}, rows.take(same), THREE, OF_LABELS)


@CALM
@given(st.integers(1, 4), st.integers(0, 100))
def test_fewer_groups_than_a_bound_takes_show_nothing(groups, seed):
    model, rows = classified(600, 2, seed)
    grouped = Split(rows.inputs, rows.targets, groups=np.arange(600) % groups)
    refused(model, grouped, TWO, OF_CLASSES)
    refused({"predicted": model["predicted"]}, grouped, TWO, OF_LABELS)
    predicted, rows = measured(600, seed)
    grouped = Split(rows.inputs, rows.targets, groups=np.arange(600) % groups)
    quantiles = predicted[:, None] + np.array([-0.128, 0, 0.128])
    refused({"quantiles": quantiles}, grouped, INTERVAL, OF_QUANTILES)


@CALM
@given(st.integers(1, 300).filter(lambda count: count != 300))
def test_predictions_that_miss_rows_are_refused(count):
    model, rows = classified(300, 3)
    some = {name: values[:count] for name, values in model.items()}
    assert "expected a row for each of 300" in refused(some, rows, THREE, OF_CLASSES)
    twice = {name: np.concatenate([values, values[:count]]) for name, values in model.items()}
    assert "expected a row for each of 300" in refused(twice, rows, THREE, OF_CLASSES)


@CALM
@given(st.sampled_from(["U", "O", "c", "M", "b"]), st.sampled_from(["probs", "predicted"]))
def test_predictions_of_another_kind_are_refused_or_read_as_they_are(kind, name):
    model, rows = classified(300, 2)
    model[name] = model[name].astype("M8[s]" if kind == "M" else kind)
    try:
        found = judge(model, rows, TWO, OF_CLASSES)
    except CannotProceed:
        refused(model, rows, TWO, OF_CLASSES)
    else:
        assert found.evaluation.scores["accuracy"].mean() == 1.0


@CALM
@given(st.permutations(range(3)).filter(lambda order: list(order) != [0, 1, 2]))
def test_columns_in_another_order_are_refused(order):
    model, rows = classified(300, 3)
    refused({"probs": model["probs"][:, list(order)]}, rows, THREE, OF_CLASSES)
    refused({**model, "probs": model["probs"][:, list(order)]}, rows, THREE, OF_CLASSES)


@CALM
@given(st.integers(1, 5).filter(lambda columns: columns != 3), st.integers(0, 3))
def test_predictions_of_another_shape_are_refused(columns, more):
    model, rows = classified(300, 3)
    refused({"probs": np.full((300, columns), 1 / columns)}, rows, THREE, OF_CLASSES)
    refused({**model, "predicted": model["predicted"][(...,) + (None,) * (more + 1)]}, rows, TWO, OF_LABELS)
    refused({"probs": np.float64(0.5)}, rows, THREE, OF_CLASSES)
    refused({"probs": np.zeros((300, 0))}, rows, THREE, OF_CLASSES)
    refused({"probs": np.zeros((0, 3))}, rows.take(np.arange(0)), THREE, OF_CLASSES)
    refused({}, rows, THREE, OF_CLASSES)


@CALM
@given(st.sampled_from([-1, 3, 99]), st.integers(0, 299))
def test_classes_that_are_none_are_refused(strange, row):
    model, rows = classified(300, 3)
    predicted = model["predicted"].copy()
    predicted[row] = strange
    assert f"{strange}" in refused({**model, "predicted": predicted}, rows, THREE, OF_CLASSES)
    targets = rows.targets.copy()
    targets[row] = strange
    assert f"targets names class {strange}" in refused(model, Split(rows.inputs, targets), THREE, OF_CLASSES)


@pytest.mark.parametrize("targets", [np.array(["a", "b"] * 150), np.full(300, np.nan), np.full(300, None)])
@pytest.mark.parametrize(
    "task", [THREE, Labels(("a", "b")), Regression(), INTERVAL], ids=lambda t: type(t).__name__
)
def test_targets_of_another_kind_are_refused(targets, task):
    model, _ = classified(300, 3)
    both = {**model, "quantiles": model["probs"]}
    gates = {Regression: OF_NUMBERS, Quantiles: OF_QUANTILES}.get(type(task), OF_LABELS)
    refused(both, Split(np.arange(300)[:, None], targets), task, gates)


@CALM
@given(st.floats(1e5, 1e300))
def test_a_single_wild_error_is_not_hidden_by_many_good_ones(error):
    predicted, rows = measured(300)
    predicted[7] += error
    refused({"predicted": predicted}, rows, Regression(), OF_NUMBERS)


@CALM
@given(st.sampled_from([np.zeros(300), np.full(300, np.nan), np.full(300, np.inf), np.full(300, -1.0)]))
def test_weights_that_weigh_nothing_show_nothing(weights):
    model, rows = classified(300, 2)
    refused(model, Split(rows.inputs, rows.targets, weights=weights), TWO, OF_CLASSES)


@CALM
@given(st.floats(0.01, 0.99), st.integers(0, 100))
def test_a_threshold_is_no_other_order_of_the_classes(threshold, seed):
    second = np.random.default_rng(seed).uniform(size=300)
    probs, predicted = np.stack([1 - second, second], axis=1), (second >= threshold).astype(int)
    rows = Split(np.arange(300)[:, None], predicted)
    found = judge({"probs": probs, "predicted": predicted}, rows, TWO, (at_least("accuracy", 0.9),))
    assert found.passed
    told = Classification(("no", "yes"), threshold=threshold)
    alone = judge({"probs": probs}, rows, told, (at_least("accuracy", 0.9),))
    assert (alone.evaluation.predictions["predicted"] == predicted).all()
    swapped = {"probs": probs[:, ::-1], "predicted": predicted}
    assert "the classes are in another order than no, yes" in refused(swapped, rows, TWO, OF_CLASSES)
