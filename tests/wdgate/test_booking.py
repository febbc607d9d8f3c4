"""Which rows a look is paid for, and when they are new."""

from dataclasses import replace

import numpy as np
import pytest

from data_checks.splits import Split, Splits
from tests.wdgate.conftest import GATES, kinds
from wdgate.gates.also_gate import on
from wdgate.gates.gates import at_least
from wdgate.registry import Registry
from wdgate.used import left


def looks(registry):
    return [entry.body["look"] for entry in registry.ledger.entries() if entry.kind == "booked"]


def joined(*parts):
    return Split(np.concatenate([p.inputs for p in parts]), np.concatenate([p.targets for p in parts]))


def test_new_test_rows_are_an_entry_of_their_own_and_looks_start_anew(registry, promotes, rows, onnx_file):
    old, new = rows(), rows(n=300)
    for first in (0, 0.1):
        promotes(onnx_file(first, 1), old)
    promotes(onnx_file(0, 1), new)
    assert kinds(registry) == ["opened", *["booked", "judged"] * 2, "renewed", "booked", "judged"]
    assert looks(registry) == [1, 2, 1]
    renewed, booked = registry.ledger.entries()[5:7]
    assert (renewed.body["rows"], renewed.body["before"]["rows"], renewed.body["overlap"]) == (300, 400, 0)
    assert renewed.body["test_rows"] == booked.body["test_rows"]
    assert renewed.body["before"]["test_rows"] == registry.ledger.entries()[1].body["test_rows"]
    assert "300 in place of 400, 0.0% of which are in both" in renewed.body["sentence"]


def test_rows_that_are_partly_the_same_are_not_new(registry, promotes, rows, onnx_file):
    old, other = rows(), rows()
    promotes(onnx_file(0, 1), old)
    part = joined(old.test.take(np.arange(20)), other.test)
    promotes(onnx_file(0, 1), replace(old, test=part))
    assert "renewed" not in kinds(registry)
    assert looks(registry) == [1, 2]


def test_rows_that_come_back_are_new_again_and_their_looks_are_counted_on(
    registry, promotes, rows, onnx_file
):
    old, new = rows(), rows()
    for splits, first in ((old, 0), (new, 0), (old, 0.1)):
        promotes(onnx_file(first, 1), splits)
    assert kinds(registry).count("renewed") == 2
    assert looks(registry) == [1, 1, 2]


def test_what_was_asked_before_on_old_rows_renews_nothing(registry, promotes, rows, onnx_file):
    old, new = rows(), rows()
    first = promotes(onnx_file(0, 1), old)
    promotes(onnx_file(0, 1), new)
    before = kinds(registry)
    assert promotes(onnx_file(0, 1), old).decision == first.decision
    assert kinds(registry) == before


def with_ids(splits, prefix=""):
    parts = {
        name: replace(part, ids=np.array([f"{prefix}{name}-{n}" for n in range(len(part))]), stable_ids=True)
        for name, part in splits.named().items()
    }
    return Splits(**parts)


def wider(splits):
    """The same rows with a column more that no model looks at: the first number, very slightly changed."""
    parts = {
        name: replace(part, inputs=part.inputs + np.array([1e-5, 0], np.float32))
        for name, part in splits.named().items()
    }
    return Splits(**parts)


def test_other_contents_of_rows_with_the_same_ids_renew_nothing(registry, promotes, rows, onnx_file):
    splits = with_ids(rows())
    promotes(onnx_file(0, 1), splits)
    promotes(onnx_file(0, 1), wider(splits))
    assert looks(registry) == [1, 2]
    plain = rows()
    promotes(onnx_file(0, 1), plain)
    promotes(onnx_file(0, 1), wider(plain))
    assert looks(registry) == [1, 2, 1, 1]


def test_the_same_ids_under_another_name_are_other_rows(store, registry, promotes, rows, onnx_file):
    promotes(onnx_file(0, 1), with_ids(rows()))
    other = Registry(f"{registry.name}-other", **store)
    other.init()
    promotes(onnx_file(0, 1), with_ids(rows()), name=other.name, registry=other)
    assert looks(other) == [1]


def asked_on(registry, rows, n=100):
    splits = rows()
    return replace(splits, also={"winter": rows(n=n).test}), (*GATES, on("winter", at_least("accuracy", 0.8)))


def test_a_further_test_set_wears_out_where_a_gate_asks_about_it(registry, promotes, rows, onnx_file):
    splits, gates = asked_on(registry, rows)
    promotes(onnx_file(0, 1), splits, gates=gates)
    moved = replace(rows(), also=splits.also)
    promotes(onnx_file(0, 1), moved, gates=gates)
    promotes(onnx_file(0, 1), replace(rows(), also=splits.also))
    assert looks(registry) == [1, 2, 1]
    assert [len(e.body["also_rows"]) for e in registry.ledger.entries() if e.kind == "booked"] == [1, 1, 0]


def test_a_further_test_set_that_was_judged_on_as_test_rows_counts(registry, promotes, rows, onnx_file):
    splits, gates = asked_on(registry, rows)
    promotes(onnx_file(0, 1), replace(splits, test=splits.also["winter"], also={}))
    promotes(onnx_file(0, 1), splits, gates=gates)
    assert looks(registry) == [1, 2]


def test_a_further_test_set_of_spent_looks_refuses(registry, promotes, rows, onnx_file):
    splits, gates = asked_on(registry, rows)
    for second in (1, 2):
        promotes(onnx_file(0, second), replace(rows(), also=splits.also), gates=gates, looks=2)
    spent = promotes(onnx_file(), replace(rows(), also=splits.also), gates=gates, looks=2)
    assert spent.reason == "looks-spent"


def test_other_rows_of_a_further_test_set_are_another_question(registry, promotes, rows, onnx_file):
    splits, gates = asked_on(registry, rows)
    promotes(onnx_file(0, 1), splits, gates=gates)
    promotes(onnx_file(0, 1), replace(splits, also={"winter": rows(n=90).test}), gates=gates)
    assert kinds(registry).count("booked") == 2


@pytest.mark.parametrize(("judged", "expected"), [(0, None), (1, 4), (3, 2), (6, 0)])
def test_the_looks_that_are_left_are_those_of_the_rows_in_use(
    registry, promotes, rows, onnx_file, judged, expected
):
    splits = rows()
    for n in range(judged):
        promotes(onnx_file(n / 10, 1), splits)
    found = left(registry)
    assert (found and found["left"]) == expected
    if judged == 3:
        promotes(onnx_file(0, 1), rows(n=250))
        assert left(registry) == {"rows": 250, "looks": 5, "left": 4}
