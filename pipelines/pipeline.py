"""What is a pipeline, where is it found, and which arguments does it take?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_checks.errors import PipelineError
from pipelines.arguments import bind_arguments
from pipelines.code import code_sha256
from pipelines.locating import MISTAKES, find_function, mistake
from wdgate.gates.gates import check_gates
from wdgate.gates.results import LARGEST_ALPHA

if TYPE_CHECKING:  # torch takes seconds to import, and naming a type needs none of it
    from torch import Tensor, nn

    from data_checks.check import Check
    from data_checks.splits import Split, Splits
    from wd_train.training import Training
    from wdgate.evaluation.tasks import Task
    from wdgate.gates.gates import Gate


@dataclass(frozen=True)
class Control:
    """How the effect of the decay is measured beside the run.

    Args:
        seeds: pairs of trainings, with the decay and without.
        budget: the share of the training time that the pairs may take together.
        rows: the share of the train rows that the pairs are trained on.

    Raises:
        PipelineError: a value out of its range.
    """

    seeds: int = 3
    budget: float = 0.25
    rows: float = 1.0

    def __post_init__(self) -> None:
        if not (isinstance(self.seeds, int) and self.seeds >= 0):
            raise PipelineError(f"control.seeds must be a whole number of at least 0, got {self.seeds!r}")
        if not 0 <= self.budget < float("inf"):
            raise PipelineError(f"control.budget must be at least 0, got {self.budget!r}")
        if not 0 < self.rows <= 1:
            raise PipelineError(f"control.rows must be above 0 and at most 1, got {self.rows!r}")


@dataclass(frozen=True)
class Pipeline:
    """What is run, and what it must show.

    Args:
        name: the name of the registered model.
        splits: gives the rows; called where a step runs.
        task: what is predicted, and how it is scored.
        model: builds the network, given the train rows.
        preprocess: builds the preprocessing, fitted on the train rows, which are all that it is handed.
        training: optimizer, decay, schedule, length.
        gates: what the model must show; none means that nothing is promoted.
        augment: changes a training batch (N, ...), given a generator; never seen by other rows.
        train: the user's own loop: `train(train, validation, training)` gives back a module or an ONNX file.
        checks: what the data must show besides the default checks, which are always asked.
        control: how the effect of the decay is measured.
        looks: how many judgements are planned on one set of test rows.
        alpha: the probability of a wrong promotion over all planned looks.
        calibrate: divide the network's outputs by a temperature, where that surely helps on validation rows.

    Raises:
        PipelineError: parts that do not fit together, such as a gate on a score that the task does not have.
    """

    name: str
    splits: Callable[[], Splits]
    task: Task
    training: Training
    gates: Sequence[Gate]
    model: Callable[[Split], nn.Module] | None = None
    preprocess: Callable[[Split], nn.Module] | None = None
    augment: Callable[[Tensor, Any], Tensor] | None = None
    train: Callable[[Split, Split, Training], Any] | None = None
    checks: Sequence[Check] = ()
    control: Control = field(default_factory=Control)
    looks: int = 20
    alpha: float = 0.05
    calibrate: bool = False

    def __post_init__(self) -> None:
        if not self.name or self.name.strip() != self.name or any(sign in self.name for sign in "/:"):
            raise PipelineError(
                f"name must be text without slashes, colons or outer spaces, got {self.name!r}"
            )
        if (self.model is None) == (self.train is None):
            both = "neither" if self.model is None else "both"
            raise PipelineError(
                f"pipeline {self.name} must have either a model or a train function, got {both}"
            )
        if not (isinstance(self.looks, int) and self.looks >= 1):
            raise PipelineError(f"looks must be a whole number of at least 1, got {self.looks!r}")
        if not 0 < self.alpha <= LARGEST_ALPHA:
            raise PipelineError(f"alpha must be above 0 and at most {LARGEST_ALPHA}, got {self.alpha!r}")
        if not isinstance(self.calibrate, bool):
            raise PipelineError(f"calibrate must be True or False, got {self.calibrate!r}")
        if self.calibrate and not hasattr(self.task, "classes"):
            raise PipelineError(
                f"calibrate is for the probabilities of classes, but the task is {type(self.task).__name__}"
            )
        check_gates(self.gates, self.task)

    def as_dict(self) -> dict[str, Any]:
        """What is recorded of the pipeline, as plain values: everything but its functions."""
        return {
            "name": self.name,
            "task": _named(self.task),
            "training": self.training.as_dict(),
            "gates": [gate.as_dict() for gate in self.gates],
            "checks": [check.code for check in self.checks] or "default",
            "control": asdict(self.control),
            "own_loop": self.train is not None,
            "augmented": self.augment is not None,
            "looks": self.looks,
            "alpha": self.alpha,
            "calibrate": self.calibrate,
        }


@dataclass(frozen=True)
class Plan:
    """A pipeline with where it came from.

    Args:
        pipeline: what is run.
        locator: what it was named by.
        arguments: of its function, with the defaults that were not given.
        code_sha256: hash of the function's file and of the user's own modules that it imports.
        given: the names of the arguments that are no defaults.
    """

    pipeline: Pipeline
    locator: str
    arguments: Mapping[str, Any]
    code_sha256: str
    given: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The plan as plain values: what is recorded, and what `load_pipeline` can be called with again."""
        return {
            "locator": self.locator,
            "arguments": {name: _plain(value) for name, value in self.arguments.items()},
            "code_sha256": self.code_sha256,
            **self.pipeline.as_dict(),
        }


def load_pipeline(locator: str, arguments: Mapping[str, Any] | None = None) -> Plan:
    """Find a pipeline's function, call it, and note where it came from.

    Args:
        locator: `module`, `module:function`, or `path/to/file.py[:function]`.
        arguments: of the function, as text or as the values themselves.

    Raises:
        PipelineError: one sentence about what was not found, not understood, or does not fit together.
    """
    function, file = find_function(locator)
    bound = bind_arguments(function, arguments or {}, locator)
    try:
        pipeline = function(**bound)
    except MISTAKES as error:
        raise mistake(error, f"{locator} could not be called", file) from error
    if not isinstance(pipeline, Pipeline):
        returned = type(pipeline).__name__
        raise PipelineError(
            f"{locator} should return a Pipeline, but {function.__name__} returned {returned}"
        )
    return Plan(pipeline, locator, bound, code_sha256(file), tuple(arguments or ()))


def _named(task: Any) -> dict[str, Any]:
    # A task is anything with the right functions; only a dataclass says which of its values describe it.
    values = {f.name: getattr(task, f.name) for f in fields(task)} if is_dataclass(task) else {}
    return {"task": type(task).__name__, **{name: _plain(value) for name, value in values.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, Path) else value
