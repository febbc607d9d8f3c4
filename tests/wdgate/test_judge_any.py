"""Somebody else's models, as arrays of predictions or as files of a node or two."""

import hashlib
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from onnx import TensorProto, helper, numpy_helper

from data_checks.errors import CannotProceed, DataCheckFailed, ModelError, PipelineError, Refused
from data_checks.splits import Split, Splits
from wdgate import Classification, Regression, at_least, at_most, judge, no_worse, on, robust, skill, slices
from wdgate.gates.gap_gate import gap_at_most

TASK = Classification(("cat", "dog"))


def rows(count=300, seed=0, **more):
    inputs = np.random.default_rng(seed).normal(size=(count, 2)).astype(np.float32)
    return Split(inputs, (inputs[:, 0] > 0).astype(np.int64), **more)


def noisy(count, seed):
    """Rows that no column gives the class of away."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(count, 2)).astype(np.float32)
    return Split(inputs, (rng.random(count) < 1 / (1 + np.exp(-2 * inputs[:, 0]))).astype(np.int64))


def model(sharpness=3.0, output="logits"):
    """An ONNX file whose second class grows with the first column."""
    weights = np.array([[-sharpness, sharpness], [0, 0]], np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], [output])],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", 2))],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, ("N", 2))],
        [numpy_helper.from_array(weights, "w")],
    )
    opsets = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()


GOOD, BAD = model(3.0), model(-3.0)


def by_name(found):
    return {result.name: result for result in found.results}


def test_without_a_gate_skill_is_asked():
    found = judge(GOOD, rows(), TASK)
    assert found.passed
    assert [r.status for r in found.results if r.code == "WD207"] == ["passed", "not applicable"]
    assert found.evaluation.onnx_sha256 == hashlib.sha256(GOOD).hexdigest()
    assert not judge(BAD, rows(), TASK).passed


def test_what_only_train_rows_could_tell_is_not_applicable_by_name():
    found = by_name(judge(GOOD, rows(), TASK))
    for name in ("no test row in train", "better than train's constant by nll"):
        assert (found[name].status, found[name].blocks) == ("not applicable", False)


def test_train_rows_are_asked_for_leaks_and_tell_the_constant():
    train, test = noisy(400, 1), noisy(300, 2)
    asked = [skill(), gap_at_most("accuracy", 0.2)]
    found = judge(model(1.0), Splits(train, train.take(np.arange(0)), test), TASK, asked)
    assert found.passed
    assert by_name(found)["clean data"].status == "passed"
    assert "better than train's constant by nll" not in by_name(found)
    assert [r.status for r in found.results if r.code == "WD212"] == ["passed"]


def test_a_test_row_that_is_a_train_row_refuses_any_model():
    train = rows(400, 1)
    found = judge(GOOD, Splits(train, train.take(np.arange(0)), train.take(np.arange(200))), TASK)
    assert not found.passed
    with pytest.raises(DataCheckFailed, match="No copies across splits"):
        found.raise_if_refused()


def test_a_refusal_is_raised_on_request():
    judge(GOOD, rows(), TASK).raise_if_refused()
    with pytest.raises(Refused, match="Refused"):
        judge(GOOD, rows(), TASK, [at_least("accuracy", 0.9999)]).raise_if_refused()


def test_predictions_in_memory_are_judged_like_the_model_that_made_them(tmp_path):
    test, path = rows(), tmp_path / "model.onnx"
    path.write_bytes(GOOD)
    asked = [at_least("accuracy", 0.9), skill()]
    there = judge(str(path), test, TASK, asked)
    here = judge(dict(there.evaluation.predictions), test, TASK, asked)
    assert here.decision == there.decision


def test_a_champion_is_compared_with_on_the_same_rows():
    found = by_name(judge(BAD, rows(), TASK, [no_worse("accuracy", 0.1)], champion=GOOD))
    assert found["accuracy no worse than the champion's by 0.1"].status == "failed"
    found = by_name(judge(GOOD, rows(), TASK, [no_worse("accuracy", 0.1)], champion=BAD))
    assert found["accuracy no worse than the champion's by 0.1"].status == "passed"


def test_a_champion_that_cannot_be_run_blocks():
    wide = rows(300).inputs[:, [0, 1, 1]]
    found = judge(
        {"probs": np.full((300, 2), 0.5)},
        Split(wide, rows(300).targets),
        TASK,
        [no_worse("accuracy", 0.1)],
        champion=GOOD,
    )
    assert not found.passed
    assert "the champion cannot be compared with" in found.sentence


def test_further_sets_and_slices_are_judged_and_reported():
    site = np.where(np.arange(300) % 3 == 0, "A", "B")
    test, far = rows(attributes={"site": site}), rows(200, 5)
    far = Split(far.inputs, 1 - far.targets)
    found = judge(
        GOOD,
        test,
        TASK,
        [slices("site", at_least=0.8), on("far", at_least("accuracy", 0.8))],
        also={"far": far},
    )
    assert [r.status for r in found.results if r.code in ("WD210", "WD202")] == ["passed", "failed"]
    document = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert document["outcome"] == "refused"
    assert document["also"]["far"]["accuracy"]["observed"] == 0
    assert {one["value"] for one in document["slices"]["site"]} == {"A", "B"}


def test_where_the_model_errs_most_is_found_on_validation_and_bounded_on_test():
    train, validation, test = (noisy(count, seed) for count, seed in ((400, 1), (600, 2), (500, 3)))
    found = judge(model(1.0), Splits(train, validation, test), TASK)
    (region,) = found.slices["found on validation"]
    # Rows near 0 in the first column are those that nobody can tell apart.
    assert "inputs[0]" in region.value
    assert region.bounds.observed < found.numbers["accuracy"]["observed"]
    assert 0 < region.bounds.rows < 500


def test_robustness_is_measured_only_where_it_is_asked():
    assert "corrupted_accuracy" not in judge(GOOD, rows(), TASK).evaluation.scores
    assert (
        by_name(judge(GOOD, rows(), TASK, [robust(0.6)]))["corrupted_accuracy at least 0.6"].status
        == "passed"
    )
    with pytest.raises(PipelineError, match="robustness can be asked of a model, but not of predictions"):
        judge({"probs": np.full((300, 2), 0.5)}, rows(), TASK, [robust(0.6)])


def test_classes_without_probabilities_are_judged_by_accuracy_alone():
    test = rows()
    found = judge({"predicted": test.targets}, test, TASK, [skill(), at_least("accuracy", 0.9)])
    assert found.passed
    with pytest.raises(PipelineError, match=r"nll, which is none of .*the model gives classes without prob"):
        judge({"predicted": test.targets}, test, TASK, [at_most("nll", 0.9)])


def test_a_regression_is_judged():
    test = Split(np.arange(90.0)[:, None], np.arange(90.0))
    assert judge(
        {"predicted": np.arange(90.0) + np.sin(np.arange(90))},
        test,
        Regression(),
        [at_most("absolute_error", 1.5)],
    ).passed


@pytest.mark.parametrize("test", [rows(1), rows(300, groups=np.zeros(300))])
def test_rows_that_determine_nothing_let_nothing_pass(test):
    found = judge(GOOD, test, TASK, [skill()])
    assert not found.passed
    assert found.results[1].status in ("not applicable", "inconclusive")


def test_test_rows_of_one_class_are_judged_by_what_they_tell():
    test = rows().take(rows().targets == 1)
    found = judge(GOOD, test, TASK, [at_least("accuracy", 0.9), at_least("auc", 0.5)])
    assert [r.status for r in found.results if r.code == "WD202"] == ["passed", "not applicable"]
    assert not found.passed


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"alpha": 0.0}, "alpha must be above 0"),
        ({"alpha": float("nan")}, "alpha must be above 0"),
        ({"looks": 0}, "looks must be a whole number from 1"),
    ],
)
def test_numbers_that_are_none_are_refused(asked, sentence):
    with pytest.raises(PipelineError, match=sentence):
        judge(GOOD, rows(), TASK, **asked)


def test_each_look_gets_its_share_of_alpha():
    one, twenty = (judge(GOOD, rows(), TASK, [at_least("accuracy", 0.5)], looks=n) for n in (1, 20))
    assert one.results[1].lower > twenty.results[1].lower


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(ModelError, match="cannot be read: No such file"):
        judge(tmp_path / "none.onnx", rows(), TASK)


@settings(max_examples=60)
@given(arrays.arrays(np.float64, (8, 2), elements=st.floats(width=32)))
def test_any_probabilities_are_judged_or_refused_in_one_sentence(probs):
    try:
        found = judge({"probs": probs}, rows(8), TASK, [at_least("accuracy", 0.5), skill()])
    except CannotProceed as error:
        assert "\n" not in str(error)  # noqa: PT017 - either may happen
    else:
        assert np.allclose(probs.sum(axis=1), 1, atol=1e-3)
        json.dumps(found.as_dict(), allow_nan=False)
