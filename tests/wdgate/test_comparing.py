"""On which rows a candidate is compared with the versions in use, and which of them is the anchor."""

from dataclasses import replace

import numpy as np

from data_checks.splits import Split, Splits
from tests.wdgate.conftest import GATES, report_on
from wdgate.evaluation.tasks import Classification
from wdgate.promotion import promote
from wdgate.serving import rollback
from wdgate.standing import Standing


def gate(promotion, code):
    return next(gate for gate in promotion.decision["gates"] if gate["code"] == code)


def anchor_of(registry):
    return Standing.of(registry.ledger.opened()).anchor


def learned_then_judged_on(old, new, n):
    """New splits, the test rows of which begin with `n` train rows of the old ones."""
    first, rest = old.train.take(np.arange(n)), new.test
    inputs = np.concatenate([first.inputs, rest.inputs])
    return replace(new, test=Split(inputs, np.concatenate([first.targets, rest.targets])))


def test_rows_that_the_champion_was_trained_on_leave_the_pair(promotes, rows, onnx_file):
    old = rows()
    promotes(onnx_file(), old)
    again = promotes(onnx_file(1.01), learned_then_judged_on(old, rows(), 30))
    assert again.outcome == "promoted"
    assert "on the same 400 test rows" in gate(again, "WD205")["sentence"]
    assert "30 test rows that it was trained or chosen on were left out" in gate(again, "WD205")["sentence"]
    assert again.decision["superior"]["rows"] == 400
    assert gate(again, "WD202")["sentence"].count("430 test rows") == 1


def test_rows_that_it_was_chosen_on_leave_too(promotes, rows, onnx_file):
    old, new = rows(), rows()
    promotes(onnx_file(), old)
    both = np.concatenate([old.validation.inputs, new.test.inputs])
    targets = np.concatenate([old.validation.targets, new.test.targets])
    again = promotes(onnx_file(1.01), replace(new, test=Split(both, targets)))
    assert "20 test rows that it was trained or chosen on were left out" in gate(again, "WD205")["sentence"]


def test_a_champion_that_was_trained_on_all_test_rows_lets_nobody_in(registry, promotes, rows, onnx_file):
    old, new = rows(), rows()
    promotes(onnx_file(), old)
    again = promotes(onnx_file(1.01), Splits(new.train, new.validation, old.train))
    assert (again.outcome, again.reason) == ("refused", "gates")
    assert "it was trained or chosen on all 50 test rows" in again.sentence
    assert registry.alias == 1


def test_rows_are_known_by_their_ids_too(promotes, rows, onnx_file):
    def named(splits, names):
        ids = {name: np.array([f"{name}-{n}" for n in range(len(p))]) for name, p in splits.named().items()}
        ids |= names
        parts = {n: replace(p, ids=ids[n], stable_ids=True) for n, p in splits.named().items()}
        return Splits(**parts)

    old, new = rows(), rows()
    promotes(onnx_file(), named(old, {}))
    taken = np.array([f"train-{n}" if n < 7 else f"later-{n}" for n in range(400)])
    again = promotes(onnx_file(1.01), named(new, {"test": taken, "train": np.arange(100, 150).astype(str)}))
    assert "7 test rows that it was trained or chosen on were left out" in gate(again, "WD205")["sentence"]


def test_a_candidate_that_surpasses_the_anchor_becomes_the_anchor(registry, promotes, rows, onnx_file):
    splits = rows()
    first = promotes(onnx_file(1, 0.1), splits)
    assert first.decision["superior"] is None
    again = promotes(onnx_file(), splits)
    assert again.outcome == "promoted"
    assert again.decision["superior"]["shown"] is True
    assert again.decision["superior"]["lower"] > 0
    assert "better than the anchor" in again.sentence
    assert "becomes the anchor" in again.sentence
    body = registry.ledger.entries()[-1].body
    assert body["superior"] == again.decision["superior"]
    assert anchor_of(registry).body["onnx_sha256"] == body["onnx_sha256"]


def test_a_candidate_that_is_only_no_worse_leaves_the_anchor(registry, promotes, rows, onnx_file):
    splits = rows()
    promotes(onnx_file(), splits)
    first = anchor_of(registry)
    again = promotes(onnx_file(1.01), splits)
    assert (again.outcome, again.decision["superior"]["shown"]) == ("promoted", False)
    assert "becomes the anchor" not in again.sentence
    assert anchor_of(registry) == first


def test_an_anchor_that_was_taken_back_gives_way(registry, promotes, rows, onnx_file):
    splits = rows()
    promotes(onnx_file(1, 0.1), splits)
    first = anchor_of(registry)
    promotes(onnx_file(), splits)
    rollback(registry)
    assert anchor_of(registry) == first


def test_what_cannot_be_compared_is_told_the_way_out(registry, promotes, rows, onnx_file):
    splits = rows()
    promotes(onnx_file(), splits)
    swapped = Classification(("right", "left"))
    arguments = {"name": registry.name, "run_id": "run", "alpha": 0.05, "looks": 5, "evidence": {}}
    again = promote(onnx_file(1.5), splits, swapped, GATES, report_on(splits), registry=registry, **arguments)
    assert again.outcome == "refused"
    assert f"`wdgate init NEW_NAME --succeed {registry.name}`" in again.sentence


def test_a_score_on_used_rows_is_said_with_what_is_to_be_expected(promotes, rows, onnx_file):
    splits = rows()
    ended = [promotes(onnx_file(1, second), splits) for second in (0.3, 0.25, 0.2)]
    first, last = ended[0].decision["expected"], ended[-1].decision["expected"]
    assert (first["looks_before"], first["value"], first["sentence"]) == (0, first["observed"], "")
    assert last["looks_before"] == 2
    assert last["value"] < last["observed"]
    assert "rows that were used 3 times" in ended[-1].sentence
    assert "is to be expected on new rows" in ended[-1].sentence


def test_scores_on_other_rows_and_of_the_same_bytes_say_nothing(promotes, rows, onnx_file):
    splits = rows()
    promotes(onnx_file(1, 0.3), rows())
    promotes(onnx_file(1, 0.1), splits, gates=())
    once = promotes(onnx_file(1, 0.3), splits)
    again = promotes(onnx_file(1, 0.3), splits, looks=6)
    assert once.decision["expected"]["sentence"] == again.decision["expected"]["sentence"] == ""
