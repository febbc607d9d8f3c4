"""How is a network trained? Says everything that decides over it, and refuses what makes no sense."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from data_checks.errors import TrainingError
from wd_train.decay import Decay
from wd_train.precision import Precision
from wd_train.schedules import SCHEDULES

OptimizerName = Literal["adamw", "adam", "sgd", "muon"]
ScheduleName = Literal["constant", "cosine", "linear", "restarts"]
SamplerName = Literal["shuffle", "balanced", "weighted"]


@dataclass(frozen=True)
class Training:
    """How a network is trained.

    Args:
        weight_decay: the coefficient; with every optimizer, a step of the default form shrinks a weight by
            lr_t x weight_decay.
        decay: in which form, on which tensors and with which schedule the coefficient acts.
        learning_rate: at the top of the schedule.
        optimizer: `adamw` and `adam` are one, for `decay` says what decays; `sgd` has the momentum below;
            `muon` steps hidden matrices, at rates that suit Adam, and Adam the rest.
        betas: of Adam's two moving averages.
        momentum: of SGD.
        schedule: how the learning rate falls; with `restarts` along a cosine, from the top again and again.
        cycles: how often it falls with `restarts`, each time over as many steps.
        warmup: steps over which the learning rate rises first.
        epochs: passes over the train rows.
        batch_size: rows a step; None means all of them.
        patience: epochs without a better validation loss after which training stops, and the weights of the
            best epoch are kept; None trains to the end and keeps the last weights.
        label_smoothing: the share of a target that is spread over all classes, in the train loss alone.
        class_weights: how much a row of each class counts in the train loss, times its own weight; `balanced`
            lets every class count the same in all.
        sampler: `shuffle` shows every row once an epoch; `balanced` draws each class equally often, and
            `weighted` rows by their weights, which then don't multiply the loss, both with replacement.
        clip_norm: the largest norm of the gradients of all parameters together; longer ones are shortened
            to it, before a decay adds to them.
        average: the share that a moving average of the weights keeps of itself at each step, such as 0.99;
            the averaged weights are measured and kept. None keeps the weights as they are.
        seed: of the initial weights, the order of the rows, dropout and augmentation.
        measure_every: epochs between two measurements on validation; the last epoch is always measured.
        device: `auto` takes CUDA, then MPS, then the CPU.
        precision: `auto` computes products in bfloat16 on a GPU that has it, else in float32; see `Precise`.
        deterministic: on a GPU, take only algorithms that give the same bytes each time, and go on after a
            kill with the same bytes; on a CPU all of them do.

    Raises:
        TrainingError: a value out of its range.

    Example:
        >>> Training(weight_decay=-0.1)
        Traceback (most recent call last):
        data_checks.errors.TrainingError: weight_decay must be at least 0, got -0.1
    """

    weight_decay: float
    decay: Decay = field(default_factory=Decay)
    learning_rate: float = 1e-3
    optimizer: OptimizerName = "adamw"
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = 0.9
    schedule: ScheduleName = "cosine"
    cycles: int = 4
    warmup: int = 0
    epochs: int = 20
    batch_size: int | None = 64
    patience: int | None = None
    label_smoothing: float = 0.0
    class_weights: Literal["balanced"] | tuple[float, ...] | None = None
    sampler: SamplerName = "shuffle"
    clip_norm: float | None = None
    average: float | None = None
    seed: int = 0
    measure_every: int = 1
    device: str = "auto"
    precision: Precision = "auto"
    deterministic: bool = False

    def __post_init__(self) -> None:
        _number(self, 0, "weight_decay", "momentum")
        _whole(self, 0, "warmup", "seed")
        _whole(self, 1, "epochs", "measure_every", "cycles")
        _whole(self, 1, "batch_size", "patience", optional=True)
        _one_of(self, "optimizer", get_args(OptimizerName))
        _one_of(self, "precision", get_args(Precision))
        _one_of(self, "schedule", get_args(ScheduleName))
        _one_of(self, "sampler", get_args(SamplerName))
        _check_loss(self)
        _check_weights(self)
        if not 0 < self.learning_rate < math.inf:
            raise TrainingError(f"learning_rate must be above 0, got {self.learning_rate}")
        if not (self.momentum < 1 and len(self.betas) == 2 and all(0 <= beta < 1 for beta in self.betas)):
            raise TrainingError(f"momentum and betas must be below 1, got {self.momentum} and {self.betas}")
        if not isinstance(self.decay, Decay):
            raise TrainingError(f"decay must be a Decay, such as Decay('cautious'), got {self.decay!r}")
        self.decay.check_overshoot(self.learning_rate, self.weight_decay)

    def batches(self, rows: int) -> int:
        """How many steps an epoch of `rows` train rows takes."""
        return 1 if self.batch_size is None else math.ceil(rows / self.batch_size)

    def measured(self, epoch: int) -> bool:
        """Whether an epoch, counted from 1, ends with a measurement on validation."""
        return epoch % self.measure_every == 0 or epoch == self.epochs

    def rates(self, rows: int) -> list[float]:
        """The learning rate of every step (steps,), for `rows` train rows."""
        steps = self.epochs * self.batches(rows)
        if self.warmup >= steps:
            raise TrainingError(f"warmup must be below the {steps} steps of the training, got {self.warmup}")
        if self.schedule == "restarts" and self.cycles > steps - self.warmup:
            raise TrainingError(
                f"cycles must be at most the {steps - self.warmup} steps after the warm-up, got {self.cycles}"
            )
        own = {"cycles": self.cycles} if self.schedule == "restarts" else {}
        factor = SCHEDULES[self.schedule](steps, self.warmup, **own)
        return [self.learning_rate * factor(step) for step in range(steps)]

    def as_dict(self) -> dict[str, Any]:
        """The fields as plain values."""
        return {**asdict(self), "decay": self.decay.as_dict()}


def _number(training: Training, limit: float, *names: str) -> None:
    for name in names:
        value = getattr(training, name)
        if not isinstance(value, int | float) or not limit <= value < math.inf:
            raise TrainingError(f"{name} must be at least {limit}, got {value!r}")


def _whole(training: Training, limit: int, *names: str, optional: bool = False) -> None:
    for name in names:
        value = getattr(training, name)
        if (value is None and optional) or (type(value) is int and value >= limit):
            continue
        raise TrainingError(f"{name} must be a whole number of at least {limit}, got {value!r}")


def _one_of(training: Training, name: str, known: tuple[str, ...]) -> None:
    value = getattr(training, name)
    if value not in known:
        raise TrainingError(f"{name} must be one of {', '.join(known)}, got {value!r}")


def _check_loss(training: Training) -> None:
    smoothing, weights = training.label_smoothing, training.class_weights
    if not (isinstance(smoothing, int | float) and 0 <= smoothing < 1):
        raise TrainingError(f"label_smoothing must be at least 0 and below 1, got {smoothing!r}")
    if weights not in (None, "balanced") and not (
        isinstance(weights, tuple) and all(map(_positive, weights))
    ):
        raise TrainingError(
            f"class_weights must be 'balanced', or a tuple of numbers above 0, one a class, got {weights!r}"
        )
    if weights == training.sampler == "balanced":
        raise TrainingError("class_weights and sampler are both 'balanced', which corrects twice: choose one")


def _check_weights(training: Training) -> None:
    clip_norm, average = training.clip_norm, training.average
    if not (clip_norm is None or _positive(clip_norm)):
        raise TrainingError(f"clip_norm must be above 0, got {clip_norm!r}")
    if not (average is None or (_positive(average) and average < 1)):
        raise TrainingError(f"average must be above 0 and below 1, got {average!r}")


def _positive(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < math.inf
