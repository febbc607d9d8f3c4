"""In which order a model is booked, judged, released and made the champion."""

import multiprocessing
from dataclasses import replace

import numpy as np
import pytest

from data_checks.errors import CannotProceed, DataError, ModelError, PipelineError, RegistryError
from tests.wdgate.conftest import GATES, TASK, kinds
from wdgate import releases
from wdgate.evaluation.tasks import Classification
from wdgate.gates.also_gate import on
from wdgate.gates.effect_gate import decay_helps
from wdgate.gates.gap_gate import gap_at_most
from wdgate.gates.gates import at_least
from wdgate.promotion import promote
from wdgate.registry import Registry


def test_a_model_that_passes_becomes_the_champion(registry, promotes, rows, onnx_file):
    promotion = promotes(onnx_file(), rows())
    assert (promotion.outcome, promotion.reason, promotion.version) == ("promoted", "passed", 1)
    assert kinds(registry) == ["opened", "booked", "judged", "promoted"]
    assert registry.alias == 1
    body = registry.ledger.entries()[-1].body
    _, certificate = releases.read_promoted(registry, registry.ledger.entries()[-1])
    assert certificate.as_dict() == promotion.certificate
    assert certificate.sha256 == body["certificate_sha256"]
    assert certificate.predicate["decision"] == promotion.decision
    assert certificate.predicate["evidence"] == {"decay": 0.3}


def test_further_test_sets_are_evaluated_and_can_be_gated(promotes, rows, onnx_file):
    splits = rows()
    also = {"winter": splits.test.take(np.arange(50, 150))}
    there = replace(splits, also=also)
    promotion = promotes(onnx_file(), there, gates=(*GATES, on("winter", at_least("accuracy", 0.8))))
    assert promotion.outcome == "promoted"
    assert len(promotion.evaluation.also["winter"]) == 100
    assert "accuracy at least 0.8 on winter" in [gate["name"] for gate in promotion.decision["gates"]]


def test_the_printed_form_has_gates_and_findings_at_the_top(promotes, rows, onnx_file):
    shown = promotes(onnx_file(), rows()).as_dict()
    assert {"outcome", "reason", "sentence", "model", "version", "run_id"} < shown.keys()
    assert [gate["code"] for gate in shown["gates"]][:1] == ["WD201"]
    assert [finding["code"] for finding in shown["findings"]] == ["DC100"]


def test_the_champion_s_own_bytes_change_nothing_and_cost_nothing(registry, promotes, rows, onnx_file):
    splits = rows()
    first, second = promotes(onnx_file(), splits), promotes(onnx_file(), splits)
    assert (second.outcome, second.reason, second.version) == ("unchanged", "same-bytes", 1)
    assert (second.decision, second.certificate) == (first.decision, first.certificate)
    assert len(kinds(registry)) == 4


def test_a_model_that_fails_is_refused_and_the_same_question_answered_from_the_ledger(
    registry, promotes, rows, onnx_file
):
    splits = rows()
    first, second = promotes(onnx_file(0, 1), splits), promotes(onnx_file(0, 1), splits)
    assert (first.outcome, first.reason, first.version) == ("refused", "gates", None)
    assert second == first
    assert kinds(registry) == ["opened", "booked", "judged"]
    assert registry.versions() == {}


@pytest.mark.parametrize("changes", [{"alpha": 0.04}, {"looks": 4}, {"gates": GATES[:1]}])
def test_another_question_is_another_look(registry, promotes, rows, onnx_file, changes):
    splits = rows()
    promotes(onnx_file(0, 1), splits)
    promotes(onnx_file(0, 1), splits, **changes)
    assert kinds(registry).count("booked") == 2
    assert [e.body["look"] for e in registry.ledger.entries() if e.kind == "booked"] == [1, 2]


def test_a_look_is_booked_before_anything_predicts_the_rows(registry, promotes, rows, onnx_file):
    seen = []

    def step(function):
        seen.append((function.__name__, kinds(registry)))
        return function

    promotes(onnx_file(), rows(), step=step)
    assert [name for name, _ in seen] == ["book", "evaluate", "judge", "release"]
    assert dict(seen)["book"] == ["opened"]
    assert dict(seen)["evaluate"] == ["opened", "booked"]
    assert dict(seen)["release"] == ["opened", "booked", "judged"]


def test_failed_data_are_refused_and_cost_no_look(registry, promotes, rows, reported, onnx_file):
    splits = rows()
    promotion = promotes(onnx_file(), splits, report=reported(splits, passed=False))
    assert (promotion.outcome, promotion.reason, promotion.decision) == ("refused", "data", None)
    assert kinds(registry) == ["opened"]


def test_no_gates_promote_nothing_and_cost_no_look(registry, promotes, rows, onnx_file):
    promotion = promotes(onnx_file(), rows(), gates=())
    assert (promotion.outcome, promotion.reason) == ("refused", "gates")
    assert kinds(registry) == ["opened"]


def test_rows_that_are_left_out_are_not_judged_on(registry, promotes, rows, reported, onnx_file):
    splits = rows(n=410)
    wrong = np.arange(410) < 10
    splits.test.targets[wrong] = 1 - splits.test.targets[wrong]
    gates = (at_least("accuracy", 0.98),)
    left_out = promotes(onnx_file(), splits, gates=gates, report=reported(splits, left_out=wrong))
    assert left_out.decision["gates"][1]["observed"] == 1.0


def test_when_the_looks_are_spent_nothing_is_judged(registry, promotes, rows, onnx_file):
    splits = rows()
    for second in (1.0, 2.0):
        promotes(onnx_file(0, second), splits, looks=2)
    spent = promotes(onnx_file(), splits, looks=2)
    assert (spent.outcome, spent.reason) == ("refused", "looks-spent")
    assert kinds(registry).count("booked") == 2
    assert promotes(onnx_file(), rows(), looks=2).outcome == "promoted"


def test_looks_are_counted_whatever_the_model_s_name(store, promotes, rows, onnx_file):
    splits = rows()
    promotes(onnx_file(0, 1), splits)
    other = Registry("another-name", **store)
    other.init()
    promotes(onnx_file(0, 1), splits, name=other.name, registry=other)
    assert other.ledger.entries()[1].body["look"] == 2


def test_a_champion_is_compared_on_the_same_rows(promotes, rows, onnx_file):
    splits = rows()
    promotes(onnx_file(), splits)
    worse = promotes(onnx_file(1, 0.3), splits)
    assert (worse.outcome, worse.reason, worse.version) == ("refused", "gates", 1)
    better = promotes(onnx_file(1.01), splits)
    assert (better.outcome, better.version) == ("promoted", 2)
    assert [gate["code"] for gate in better.decision["gates"]].count("WD205") == 1


def test_a_champion_of_another_shape_promotes_nothing(registry, promotes, rows, onnx_file):
    from dataclasses import replace

    promotes(onnx_file(), rows())
    splits = rows()
    column = {name: replace(part, inputs={"a": part.inputs}) for name, part in splits.named().items()}
    with pytest.raises(ModelError):
        promotes(onnx_file(2.0), replace(splits, **column))
    assert registry.alias == 1


def test_a_champion_whose_bytes_were_changed_promotes_nothing(registry, promotes, rows, onnx_file):
    from pathlib import Path
    from urllib.parse import urlparse

    splits = rows()
    promotes(onnx_file(), splits)
    run_id = registry.ledger.entries()[-1].body["release_run_id"]
    Path(urlparse(registry.address(run_id)).path, "model/model.onnx").write_bytes(onnx_file(1.0001))
    for candidate in (onnx_file(), onnx_file(2.0)):
        with pytest.raises(RegistryError, match=r"model\.onnx of .* was changed"):
            promotes(candidate, splits)
    assert registry.alias == 1


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"alpha": float("nan")}, PipelineError, "alpha must be above 0 and at most 0.25, got nan"),
        ({"alpha": 1}, PipelineError, "alpha must be above 0 and at most 0.25, got 1"),
        ({"looks": 0}, PipelineError, "looks must be at least 1, got 0"),
        ({"name": "other"}, RegistryError, "but 'other' is to be promoted"),
        ({"gates": (at_least("acuracy", 0.9),)}, PipelineError, "acuracy"),
    ],
)
def test_what_cannot_be_asked_is_said_before_a_look_is_paid(
    registry, promotes, rows, onnx_file, changes, error, said
):
    with pytest.raises(error, match=said):
        promotes(onnx_file(), rows(), **changes)
    assert kinds(registry) == ["opened"]


def test_a_report_on_other_rows_is_refused(promotes, rows, reported, onnx_file):
    with pytest.raises(DataError, match="about other rows"):
        promotes(onnx_file(), rows(), report=reported(rows()))


@pytest.mark.parametrize("content", [b"", b"not an onnx file"])
def test_bytes_that_are_no_model_are_refused_before_a_look_is_paid(registry, promotes, rows, content):
    with pytest.raises(CannotProceed):
        promotes(content, rows())
    assert kinds(registry) == ["opened"]


def test_the_loser_of_a_race_is_judged_again_by_the_new_champion(registry, store, promotes, rows, onnx_file):
    splits = rows()
    overtaken = []

    def step(function):
        if function.__name__ == "release" and not overtaken:
            overtaken.append(True)
            promotes(onnx_file(), splits, registry=Registry(registry.name, **store))
        return function

    promotion = promotes(onnx_file(1.01), splits, step=step)
    assert (promotion.outcome, promotion.version) == ("promoted", 2)
    booked = [entry.body for entry in registry.ledger.entries() if entry.kind == "booked"]
    assert [(body["look"], body["question"]["champion"] is None) for body in booked] == [
        (1, True),
        (2, True),
        (3, False),
    ]


def test_an_entry_of_somebody_else_in_between_costs_no_second_look(registry, promotes, rows, onnx_file):
    def step(function):
        if function.__name__ in ("judge", "release"):
            registry.ledger.append("booked", {**booked(registry), "question": {}, "look": 99})
        return function

    assert promotes(onnx_file(), rows(), step=step).outcome == "promoted"
    assert [e.body["look"] for e in registry.ledger.entries() if e.kind == "booked"] == [1, 99, 99]


def booked(registry):
    return next(entry.body for entry in registry.ledger.entries() if entry.kind == "booked")


def promotes_in_a_process(arguments):
    """One promoter of a race: opens the registry itself and promotes two files of its own."""
    name, store, files, splits, report = arguments
    registry = Registry(name, **store)
    registry.init()
    common = {"run_id": "run", "alpha": 0.05, "looks": 100, "evidence": {}, "registry": registry}
    return [promote(onnx, splits, TASK, GATES, report, name=name, **common).version for onnx in files]


@pytest.mark.soak
def test_racing_promoters_lose_no_promotion_and_pay_no_look_twice(store, registry, rows, reported, onnx_file):
    splits, name = rows(), f"{registry.name}-race"
    files = [[onnx_file(1 + (2 * who + n) / 1000) for n in range(2)] for who in range(4)]
    jobs = [(name, store, own, splits, reported(splits)) for own in files]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        versions = [version for own in pool.map(promotes_in_a_process, jobs) for version in own]
    raced = Registry(name, **store)
    looks = [entry.body["look"] for entry in raced.ledger.entries() if entry.kind == "booked"]
    assert sorted(versions) == sorted(raced.versions()) == list(range(1, 9))
    assert looks == list(range(1, len(looks) + 1))
    assert raced.alias == raced.version_of([e for e in raced.ledger.entries() if e.kind == "promoted"][-1])


def test_a_champion_of_another_task_cannot_be_compared_with(registry, promotes, rows, reported, onnx_file):
    splits = rows()
    promotes(onnx_file(), splits)
    arguments = {"name": registry.name, "run_id": "run", "alpha": 0.05, "looks": 5, "evidence": {}}
    swapped = Classification(("right", "left"))
    again = promote(onnx_file(1.5), splits, swapped, GATES, reported(splits), registry=registry, **arguments)
    assert again.outcome == "refused"
    assert "another task" in again.sentence


def test_what_was_rolled_back_meanwhile_is_not_released_by_a_slow_promoter(
    registry, promotes, rows, onnx_file, monkeypatch
):
    from wdgate import promotion
    from wdgate.serving import rollback

    splits = rows()
    promotes(onnx_file(), splits)
    upload, slow = promotion.releases.upload, []

    def overtaken(*arguments):
        run_id = upload(*arguments)
        if not slow:
            slow.append(1)
            promotes(onnx_file(1.5), splits)
            rollback(registry)
        return run_id

    monkeypatch.setattr(promotion.releases, "upload", overtaken)
    ended = promotes(onnx_file(1.5), splits)
    assert (ended.outcome, ended.reason) == ("refused", "rolled-back")
    assert registry.alias == 1


def test_looks_that_were_planned_anew_do_not_renew_alpha(promotes, rows, onnx_file):
    splits = rows()
    ended = [promotes(onnx_file(1 + n / 100), splits, looks=2) for n in range(2)]
    ended.append(promotes(onnx_file(2.0), splits, looks=40))
    assert [promotion.reason for promotion in ended] == ["passed", "passed", "looks-spent"]


def test_the_promoted_entry_names_the_run_that_was_promoted(registry, promotes, rows, onnx_file):
    promotes(onnx_file(), rows(), run_id="this one")
    assert registry.ledger.entries()[-1].body["run_id"] == "this one"


def test_the_certificate_says_what_became_of_the_decoys_and_of_a_flipped_bit(promotes, rows, onnx_file):
    decoys = promotes(onnx_file(), rows()).certificate["predicate"]["decision"]["decoys"]
    assert {decoy["status"] for decoy in decoys} == {"refused", "not applicable"}
    assert decoys[-1]["name"] == "the file with one flipped bit"
    assert decoys[-1]["status"] == "refused"


def test_train_rows_and_the_trainers_effect_are_looked_at_where_a_gate_asks(promotes, rows, onnx_file):
    one = {"score": "accuracy", "difference": 0.02, "lower": 0.01, "upper": 0.03, "pairs": 3}
    effect = {"status": "measured", "effects": [one]}
    promotion = promotes(
        onnx_file(),
        rows(),
        gates=(at_least("accuracy", 0.9), gap_at_most("accuracy", 0.2), decay_helps("accuracy")),
        evidence={"claimed_by_trainer": {"decay_effect": effect}},
    )
    assert [gate["status"] for gate in promotion.decision["gates"]] == ["passed"] * 4
