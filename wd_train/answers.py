"""What did the weight decay do, in a sentence for a reader who is no specialist?"""

from __future__ import annotations

import math
from collections.abc import Sequence

from data_checks.splits import Split
from wd_train.effects import CORRUPTED, DecayEffect, Members, ScoreEffect, better_side, compare
from wd_train.outcomes import Diverged
from wdgate.evaluation.evaluation import units_of
from wdgate.evaluation.tasks import Task

SHARES = ("accuracy", "balanced_accuracy")
"""Scores that are said in percent."""


def nothing_to_measure() -> DecayEffect:
    """The answer for a training without decay."""
    sentence = "Trained without weight decay, so there is no effect of it to measure."
    return DecayEffect("nothing to measure", (), 0, 0, 0.0, sentence)


def own_loop() -> DecayEffect:
    """The answer for a training loop of the user's own, which wdgate does not run a second time."""
    return not_measured("the training loop is the pipeline's own")


def not_measured(reason: str, *, rows: int = 0, seconds: float = 0.0, missing: int = 0) -> DecayEffect:
    """The answer where nothing could be compared, and why: `no pairs of trainings were asked for`."""
    sentence = f"What the weight decay did was not measured: {reason}."
    return DecayEffect("not measured", (), 0, rows, seconds, sentence, missing)


def too_dear(budget: float, trainings: int, rows: float, main_seconds: float) -> DecayEffect:
    """The answer where not even one pair could be paid: what it would have taken.

    Args:
        budget: the share of the training's time that was allowed.
        trainings: how many trainings the first pair takes.
        rows: the share of the train rows that each would have had.
        main_seconds: how long the configured training took.
    """
    takes = f"the control takes about {_seconds(trainings * rows * main_seconds)}"
    allowed = f"{budget:.0%} of the training's {_seconds(main_seconds)} were allowed"
    return not_measured(f"{takes}, and {allowed}; allow a larger budget or fewer rows")


def summarize(
    task: Task,
    weight_decay: float,
    with_decay: Members,
    without: Members,
    validation: Split,
    *,
    rows: int,
    seconds: float,
    controls: str = "trained beside",
) -> DecayEffect:
    """What the decay did by all pairs of trainings, with the sentence that says it; see `compare`."""
    effects = compare(task, with_decay, without, validation)
    missing, pairs = effects[0].missing, effects[0].pairs
    lost = _lost(with_decay, without, missing)
    if effects[0].pairs == 0:
        return not_measured(f"no pair is left, {lost}", rows=rows, seconds=seconds, missing=missing)
    measured = tuple(effect for effect in effects if effect.status != "not measured")
    if task.primary not in [effect.score for effect in measured]:
        return not_measured(_too_few(task, effects, validation), rows=rows, seconds=seconds, missing=missing)
    sentence = _sentence(task, weight_decay, measured, len(validation))
    left_out = f" {missing} of {missing + pairs} pairs {_are(missing)} missing: {lost}." if missing else ""
    sentence = f"{sentence}{left_out}{_age(controls, pairs)}"
    return DecayEffect("measured", measured, pairs, rows, seconds, sentence, missing, controls)


def _age(controls: str, pairs: int) -> str:
    source, kept, age = controls.rpartition("kept from ")
    if not kept:
        return ""
    oldest = "The oldest control was" if source or pairs > 1 else "The control was"
    return f" {oldest} trained {age}."


def _too_few(task: Task, effects: Sequence[ScoreEffect], validation: Split) -> str:
    primary = next((effect for effect in effects if effect.score == task.primary), effects[0])
    if not math.isfinite(primary.difference):
        return f"{_named(task.primary)} is not a finite number on all validation rows"
    unit = "row" if units_of(validation) is None else "independent group of rows"
    return f"the validation rows are no more than one {unit}, and an interval takes two"


def _lost(with_decay: Members, without: Members, missing: int) -> str:
    """What became of the pairs that are missing: `1 training with decay diverged (its loss was nan)`."""
    sides = [
        (name, [member.reason for member in members if isinstance(member, Diverged)])
        for name, members in (("with", with_decay), ("without", without))
    ]
    told = [
        f"{len(reasons)} training{'s' if len(reasons) > 1 else ''} {name} decay diverged ({reasons[0]})"
        for name, reasons in sides
        if reasons
    ]
    return " and ".join(told) if missing else ""


def _sentence(task: Task, weight_decay: float, effects: Sequence[ScoreEffect], rows: int) -> str:
    primary = next(effect for effect in effects if effect.score == task.primary)
    others = [_moved(effect, task) for effect in effects if effect.measurable and effect is not primary]
    also = f" It also {'; '.join(others)}." if others else ""
    return f"{_first(primary, task, weight_decay)} ({_basis(primary, rows)}).{also}"


def _first(effect: ScoreEffect, task: Task, weight_decay: float) -> str:
    both = f"{_said(effect, effect.with_decay)} with it, {_said(effect, effect.without_decay)} without"
    if not effect.measurable:
        return f"Weight decay {weight_decay:g} had no measurable effect on {_named(effect.score)}: {both}"
    return f"Weight decay {weight_decay:g} {_moved(effect, task)}: {both}"


def _basis(effect: ScoreEffect, rows: int) -> str:
    trainings = "one pair of trainings" if effect.pairs == 1 else f"{effect.pairs} pairs of trainings"
    if effect.lower == effect.upper == 0:
        return f"the same on each of {rows:,} validation rows, in {trainings}"
    ends = f"{_signed(effect, effect.lower).removesuffix(' points')} to {_signed(effect, effect.upper)}"
    where = f"over {trainings} and {rows:,} validation rows"
    caution = ": another seed may differ" if effect.pairs == 1 else ""
    return f"95 % interval of the difference {ends}, {where}{caution}"


def _moved(effect: ScoreEffect, task: Task) -> str:
    rose = effect.difference > 0
    better = better_side(task, effect.score)
    judged = "" if better is None else ", which is better" if better == rose else ", which is worse"
    size = _signed(effect, abs(effect.difference)).removeprefix("+")
    return f"{'raised' if rose else 'lowered'} {_named(effect.score)} by {size}{judged}"


def _named(score: str) -> str:
    if score.startswith(CORRUPTED):
        return f"{_named(score.removeprefix(CORRUPTED))} on corrupted rows"
    names = {"nll": "log-loss", "brier": "the Brier score", "ece": "the calibration error (ECE)"}
    return names.get(score, score.replace("_", " "))


def _is_share(effect: ScoreEffect) -> bool:
    return effect.score.removeprefix(CORRUPTED) in SHARES


def _said(effect: ScoreEffect, value: float) -> str:
    return f"{value:.1%}" if _is_share(effect) else f"{value:.3g}"


def _signed(effect: ScoreEffect, value: float) -> str:
    # Adding zero turns -0.0 into 0.0.
    return f"{round(100 * value, 1) + 0.0:+.1f} points" if _is_share(effect) else f"{value:+.3g}"


def _seconds(value: float) -> str:
    return f"{value:,.0f} s"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
