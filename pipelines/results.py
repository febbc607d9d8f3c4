"""What does a sweep give back?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.ranges import RateRange
from pipelines.reaching import Reaching
from wd_train.answers import SHARES
from wd_train.effects import CORRUPTED, DecayEffect


@dataclass(frozen=True)
class MemberResult:
    """What one training reached.

    Args:
        seed: of the training.
        values: scores and metrics on the validation rows, and the primary score on corrupted ones; empty
            where it diverged.
        diverged: how that was noticed; empty where it did not.
        best_epoch: the epoch whose weights were kept.
        seconds: device-seconds.
        norm_ratio: norm of the decayed tensors at the end over the start.
    """

    seed: int
    values: Mapping[str, float]
    diverged: str = ""
    best_epoch: int = 0
    seconds: float = math.nan
    norm_ratio: float = math.nan


@dataclass(frozen=True)
class PointResult:
    """What one point reached, and what its decay did.

    Args:
        words: the point as it is typed.
        values: of the axes.
        weight_decay, form, schedule, learning_rate: as it was trained.
        rows: the share of the train rows.
        listed: it was asked for; else it is a control that was added.
        control: the number of the point that it is compared with; its own for a control.
        members: one a seed.
        means: over the seeds, by score and metric.
        errors: standard errors of those, over the seeds; NaN for one seed.
        effect: against the control of the same seeds; None for a control.
        reaching: when it first had the control's best validation loss; None where nobody looked.
        command: what trains and judges it; empty where arguments of the pipeline do not lead to it.
    """

    words: str
    values: Mapping[str, Any]
    weight_decay: float
    form: str
    schedule: str
    learning_rate: float
    rows: float
    listed: bool
    control: int
    members: tuple[MemberResult, ...]
    means: Mapping[str, float]
    errors: Mapping[str, float]
    effect: DecayEffect | None
    reaching: Reaching | None
    command: str

    @property
    def diverged(self) -> tuple[MemberResult, ...]:
        """The members that diverged."""
        return tuple(member for member in self.members if member.diverged)


@dataclass(frozen=True)
class Sweep:
    """The result of a sweep, with the field names that `--json` prints.

    Args:
        outcome: `swept`, or `refused` where the data checks stopped it.
        sentence: what it says, for a reader who is no specialist.
        pipeline: where the pipeline is found.
        model: its name.
        axes: what was varied.
        seeds: trainings a point.
        folds: of the cross-validation; 1 is none.
        train_rows, validation_rows: how many; with folds, those of all folds.
        primary: the score that is chosen by.
        points: in the order of the axes, controls that were added last.
        best: by score and metric, the number of the point that is best in it.
        chosen: the number of the point that is chosen; None where there is none to choose.
        ranges: of the learning rate, with decay and without.
        notes: what else a reader should know.
        command: what to run next.
        seconds: device-seconds of all trainings.
        folder: where the table, the plot and the rows are.
    """

    outcome: str
    sentence: str
    pipeline: str
    model: str
    axes: Mapping[str, Sequence[Any]]
    seeds: int
    folds: int
    train_rows: int
    validation_rows: int
    primary: str
    points: tuple[PointResult, ...]
    best: Mapping[str, int]
    chosen: int | None
    ranges: tuple[RateRange, ...]
    notes: tuple[str, ...]
    command: str
    seconds: float
    folder: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The result as plain values; what is not a finite number is None."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def said(task_score: str, value: float) -> str:
    """A score as people read it.

    Example:
        >>> said("accuracy", 0.9312), said("nll", 0.25118), said("squared_error", 2971.4)
        ('93.1%', '0.251', '2,971')
    """
    share = task_score.removeprefix(CORRUPTED) in SHARES
    if share:
        return f"{value:.1%}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
