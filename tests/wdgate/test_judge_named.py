"""Somebody else's models under a name: looks are counted, champions compared with, bytes released."""

import numpy as np
import pytest

from data_checks.errors import ModelError, PipelineError, RegistryError
from data_checks.splits import Split, Splits
from tests.wdgate.conftest import report_on
from wdgate import Classification, load_champion
from wdgate.canonical import sha256
from wdgate.evaluation.foreign import ForeignModel
from wdgate.evaluation.labels import Labels
from wdgate.evaluation.predictions import Predictions
from wdgate.evaluation.slices import labels_of
from wdgate.judge_named import Terms, asked_of, judge_named
from wdgate.registry import Registry

TASK = Classification(("cat", "dog"))
GATES = ("skill()", "no_worse(accuracy, .05)")
ASKED = Terms(GATES)


def model(first=3.0, second=0.0, output="scores"):
    """An ONNX file whose only output, of a name that says nothing, is the logits of two classes."""
    from onnx import TensorProto, helper, numpy_helper

    weights = np.array([[-first, first], [-second, second]], np.float32)
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


@pytest.fixture
def asks(registry, rows):
    """Judges a file under the registry's name, on the same rows each time."""
    splits = rows()

    def ask(onnx, *, release=True, output="logits", asked=ASKED, **more):
        opened = ForeignModel(onnx, TASK, output)
        return judge_named(
            opened, onnx, splits, TASK, asked, report_on(splits), registry=registry,
            release=release, output=output, **more,
        )  # fmt: skip

    ask.splits = splits
    return ask


def kinds(registry):
    return [entry.kind for entry in registry.ledger.entries()]


def test_a_first_model_is_promoted_the_same_is_unchanged_a_worse_one_is_refused(registry, store, asks):
    assert [asks(onnx).outcome for onnx in (GOOD, GOOD, BAD)] == ["promoted", "unchanged", "refused"]
    assert kinds(registry) == ["opened", "booked", "judged", "promoted", "booked", "judged"]
    champion = load_champion(registry.name, registry=Registry(registry.name, **store))
    assert champion.version == 1
    assert champion.certificate["predicate"]["evidence"]["output"] == "logits"
    inputs = np.array([[1.0, 0.0]], np.float32)
    assert champion.predict(inputs)["scores"].tolist() == [[-3.0, 3.0]]


def test_the_champion_is_what_no_worse_compares_with_and_is_read_as_it_was_promoted(asks):
    asks(GOOD)
    # Its only output is named `probs`, so that nobody says what it is; the champion's is known all the same.
    found = asks(model(2.0, 0.1, "logits"), output=None)
    asked = {gate["code"]: gate["status"] for gate in found.as_dict()["gates"]}
    assert (found.outcome, asked["WD205"]) == ("promoted", "passed")


def test_what_is_only_judged_pays_a_look_that_promoting_does_not_pay_again(registry, asks):
    judged, again = asks(GOOD, release=False), asks(GOOD, release=False)
    assert (judged.outcome, again.outcome, judged.version) == ("passed", "passed", None)
    assert kinds(registry) == ["opened", "booked", "judged"]
    assert asks(GOOD).outcome == "promoted"
    assert kinds(registry) == ["opened", "booked", "judged", "promoted"]
    assert asks(BAD, release=False).outcome == "refused"


def test_a_look_is_booked_before_anything_predicts_the_test_rows(registry, asks):
    seen = []

    def step(function):
        seen.append((function.__name__, kinds(registry)))
        return function

    asks(GOOD, step=step)
    assert [name for name, _ in seen] == ["book", "evaluate", "judge", "release"]
    assert dict(seen)["evaluate"] == ["opened", "booked"]


def test_looks_that_are_spent_refuse(asks):
    once = Terms(GATES, looks=1)
    assert asks(GOOD, asked=once, release=False).outcome == "passed"
    assert asks(BAD, asked=once, release=False).reason == "looks-spent"


def test_predictions_are_judged_under_a_name_and_never_promoted(registry, asks):
    test = asks.splits.test
    values = {"predicted": test.targets}
    content = b"a table"
    told = Predictions(labels_of(test.ids), values, Labels(TASK.classes), sha256(content), "a table")
    asked, report = Terms(("at_least(accuracy, .8)",)), report_on(asks.splits)
    found = judge_named(told, content, asks.splits, TASK, asked, report, registry=registry)
    assert (found.outcome, kinds(registry)) == ("passed", ["opened", "booked", "judged"])
    with pytest.raises(PipelineError, match="judged and never promoted"):
        judge_named(told, content, asks.splits, TASK, asked, report, registry=registry, release=True)


def test_what_does_not_fit_is_said_before_a_look_is_paid(registry):
    wide = Split(np.ones((60, 3), np.float32) * np.arange(60, dtype=np.float32)[:, None], np.arange(60) % 2)
    splits = Splits(wide.take(np.arange(20)), wide.take(np.arange(0)), wide.take(np.arange(20, 60)))
    opened = ForeignModel(GOOD, TASK, "logits")
    with pytest.raises(ModelError):
        judge_named(opened, GOOD, splits, TASK, ASKED, report_on(splits), registry=registry)
    assert kinds(registry) == ["opened"]


def test_leaking_rows_refuse_before_a_look_is_paid(registry, asks):
    opened = ForeignModel(GOOD, TASK, "logits")
    report = report_on(asks.splits, passed=False)
    found = judge_named(opened, GOOD, asks.splits, TASK, ASKED, report, registry=registry, release=True)
    assert (found.outcome, found.reason, kinds(registry)) == ("refused", "data", ["opened"])


def opened(store, name, **bound):
    registry = Registry(name, **store)
    registry.init(**bound)
    return registry


def test_gates_that_the_ledger_was_opened_for_are_asked_and_no_others(store):
    bound = Terms(("at_least(accuracy, .9)",), 0.1, 5)
    registry = opened(store, "bound", asks=bound.as_dict())
    for told in ({}, {"gates": ["at_least(accuracy,0.90)"]}, {"alpha": 0.1, "looks": 5}):
        assert asked_of(registry, **told, promoting=True, bound=True) == bound
    for told in ({"gates": ["skill()"]}, {"alpha": 0.25}, {"looks": 1}):
        with pytest.raises(RegistryError, match="was opened for at_least"):
            asked_of(registry, **told)
    with pytest.raises(RegistryError, match=r"opened for at_least.*not for skill"):
        registry.init(asks=Terms(("skill()",)).as_dict())
    registry.init(asks=bound.as_dict())
    registry.init()


def test_a_pipelines_name_is_promoted_by_its_runs_alone(store):
    registry = opened(store, "pipelined", pipeline="pipelines.digits")
    assert asked_of(registry, ["skill()"]).gates == ("skill()",)
    with pytest.raises(RegistryError, match="whose runs alone are promoted"):
        asked_of(registry, promoting=True)


def test_on_a_server_only_the_ledger_says_what_a_promoted_model_must_show(store):
    registry = opened(store, "unbound")
    assert asked_of(registry, ["skill()"], promoting=True).made == asked_of(registry).made
    with pytest.raises(RegistryError, match="wdgate init NAME --gate GATE"):
        asked_of(registry, ["skill()"], promoting=True, bound=True)


@pytest.mark.parametrize("wrong", [{"alpha": 2.0}, {"looks": 0}, {"gates": ("at_best(accuracy, 1)",)}])
def test_what_cannot_be_asked_is_refused_when_a_ledger_is_opened(wrong):
    with pytest.raises(PipelineError):
        Terms(**{"gates": (), **wrong})
