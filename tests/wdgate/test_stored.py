"""Predictions that are kept, so that a champion need not be run on the same rows again."""

import io
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlparse

import numpy as np
import pytest

from data_checks.errors import RegistryError
from tests.wdgate.conftest import TASK
from wdgate import stored
from wdgate.evaluation.evaluation import Evaluation, evaluate


def same(one, other):
    """Whether two evaluations hold the same, to the bit."""
    for name, value in vars(one).items():
        there = vars(other)[name]
        if name == "also":
            assert value.keys() == there.keys()
            assert all(same(value[key], there[key]) for key in value)
        elif name == "permuted":
            assert (value is None) == (there is None)
        else:
            np.testing.assert_equal(value, there)
    return True


@pytest.fixture
def public(rows):
    """Splits that may leave the worker, with a further test set."""
    return replace(rows(), public=True, also={"winter": rows(n=60).test})


def test_what_was_stored_is_the_evaluation_again(public, onnx_file):
    first = evaluate(onnx_file(), public.test, TASK, reference=public.train, also=public.also)
    content = stored.packed(first, public)
    again = stored.unpacked(content, first.onnx_sha256, public.test, public.also, TASK, public.train)
    assert same(first, again)
    assert stored.packed(first, public) == content


def test_predictions_of_private_rows_are_not_stored(rows, onnx_file):
    splits = rows()
    assert stored.packed(evaluate(onnx_file(), splits.test, TASK, reference=splits.train), splits) is None


def test_what_is_too_large_or_would_be_a_pickle_is_not_stored(public, onnx_file, monkeypatch):
    found = evaluate(onnx_file(), public.test, TASK, reference=public.train)
    odd = replace(found, predictions={**found.predictions, "odd": np.array([{}] * len(found), object)})
    assert stored.packed(odd, public) is None
    monkeypatch.setattr(stored, "LARGEST", 100)
    assert stored.packed(found, public) is None


def evaluated_by(promotes, onnx, splits):
    """A promotion, and how many files were run on the test rows for it."""
    ran = []

    def step(function):
        ran.extend([1] if function.__name__ == "evaluate" else [])
        return function

    return promotes(onnx, splits, step=step), len(ran)


def test_a_champion_is_not_run_again_on_the_same_rows(promotes, public, onnx_file):
    promotes(onnx_file(1, 0.1), public)
    again, ran = evaluated_by(promotes, onnx_file(), public)
    assert (again.outcome, ran) == ("promoted", 1)
    for first, expected in ((1.01, 1), (1.02, 2)):  # the first of them leaves nothing behind
        private, ran = evaluated_by(promotes, onnx_file(first), replace(public, public=False))
        assert (private.outcome, ran) == ("promoted", expected)


def test_the_answer_is_the_same_whether_it_was_run_or_read(registry, store, promotes, public, onnx_file):
    from wdgate.registry import Registry

    other = Registry(f"{registry.name}-run", **store)
    other.init()
    answers = []
    for where, splits in ((registry, public), (other, replace(public, public=False))):
        for onnx in (onnx_file(1, 0.1), onnx_file(1, 0.12)):
            ended = promotes(onnx, splits, registry=where, name=where.name, looks=100)
        answers.append([{**g, "code": g["code"]} for g in ended.decision["gates"] if g["code"] == "WD205"])
    assert answers[0][0]["observed"] == answers[1][0]["observed"]
    assert answers[0][0]["lower"] == answers[1][0]["lower"]


def test_on_new_rows_and_by_another_program_the_bytes_are_run(promotes, rows, public, onnx_file, monkeypatch):
    promotes(onnx_file(), public)
    _, ran = evaluated_by(promotes, onnx_file(1.01), replace(rows(), public=True))
    assert ran == 2
    monkeypatch.setattr(stored, "__version__", "0.0")
    _, ran = evaluated_by(promotes, onnx_file(1.02), public)
    assert ran > 1


def test_predictions_that_were_changed_promote_nothing(registry, promotes, public, onnx_file):
    promotes(onnx_file(), public)
    body = registry.ledger.entries()[-1].body
    path = Path(urlparse(registry.address(body["release_run_id"])).path, "predictions")
    file = path / f"{body['predictions']['sha256']}.npz"
    other = io.BytesIO()
    np.savez(other, index=np.zeros(1, np.uint8))
    file.write_bytes(other.getvalue())
    with pytest.raises(RegistryError, match="were changed after they were stored"):
        promotes(onnx_file(1.01), public)
    assert registry.alias == 1


def test_an_evaluation_s_every_field_is_thought_of():
    # A field that is new must be stored too, or follow from what is.
    assert set(Evaluation.__dataclass_fields__) == {
        *(
            "onnx_sha256",
            "fingerprint",
            "predictions",
            "targets",
            "scores",
            "metrics",
            "robustness",
            "groups",
        ),
        *("weights", "baseline", "corrupted_rows", "attributes", "also", "permuted", "unseen"),
    }
