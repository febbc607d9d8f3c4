"""Would somebody else's model be let pass under a name whose ledger counts the looks, and be promoted there?

As `wdgate.judge_any`, but a look is booked before a row is predicted, the champion and the anchor of the name
are what gates compare with, and the same question is answered from the ledger.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, get_args

import numpy as np

from data_checks.errors import PipelineError, RegistryError
from data_checks.report import DataReport
from data_checks.splits import Split, Splits, read_inputs
from wdgate import releases
from wdgate.asked import Evaluates, Step, plainly
from wdgate.canonical import sha256
from wdgate.evaluation.evaluation import Evaluation
from wdgate.evaluation.foreign import ForeignModel, Meaning
from wdgate.evaluation.predictions import Predictions
from wdgate.evaluation.tasks import Task
from wdgate.gates.gates import Gate, skill
from wdgate.gates.wording import gate_of
from wdgate.judge_any import Opened, check_gates_of, evaluated, needs_corruptions, refuse_numbers
from wdgate.promotion import Promotion, promote
from wdgate.registry import Registry
from wdgate.standing import Standing, onnx_of

ALPHA, LOOKS = 0.05, 20
# So many train rows are predicted before a look is paid: whatever a file cannot do shows on them.
_FIRST_ROWS = 1000


@dataclass(frozen=True)
class Terms:
    """What a model must show, in the words of a person.

    Args:
        gates: such as `at_least(accuracy, .9)`.
        alpha: the probability of a wrong promotion over all planned looks.
        looks: how many judgements are planned on the test rows.

    Raises:
        PipelineError: words that name no gate, or a number out of its range.
    """

    gates: tuple[str, ...]
    alpha: float = ALPHA
    looks: int = LOOKS

    def __post_init__(self) -> None:
        refuse_numbers(self.alpha, self.looks)
        _ = self.made

    @property
    def made(self) -> tuple[Gate, ...]:
        """The gates; `skill()` where none is named."""
        return tuple(gate_of(words) for words in self.gates) or (skill(),)

    def as_dict(self) -> dict[str, Any]:
        """What the `opened` entry of a ledger binds."""
        return {"gates": list(self.gates), "alpha": self.alpha, "looks": self.looks}


def asked_of(
    registry: Registry,
    gates: Sequence[str] = (),
    alpha: float | None = None,
    looks: int | None = None,
    *,
    promoting: bool = False,
    bound: bool = False,
) -> Terms:
    """What a model of this name must show: what its ledger was opened for, else what is asked now.

    Args:
        registry: of the name, whose ledger is open.
        gates: what is asked now; what the ledger says need not be repeated.
        alpha: likewise.
        looks: likewise.
        promoting: whether the model is to be promoted.
        bound: whether nobody but the ledger may say what a promoted model must show, as on a server, where
            those who train and those who promote are not the same people.

    Raises:
        RegistryError: the name belongs to a pipeline, the ledger says nothing, or something else.
    """
    name, said = registry.name, registry.asks
    if promoting and registry.pipeline is not None:
        raise RegistryError(
            f"{name} was opened for the pipeline {registry.pipeline}, whose runs alone are promoted: "
            f"`wdgate run {registry.pipeline}`, or judge under another name"
        )
    if said is None:
        if promoting and bound:
            raise RegistryError(
                f"the ledger of {name} does not say what a model must show: "
                f"open another name with `wdgate init NAME --gate GATE`"
            )
        return Terms(tuple(gates), ALPHA if alpha is None else alpha, LOOKS if looks is None else looks)
    own = Terms(tuple(said["gates"]), said["alpha"], said["looks"])
    now = Terms(
        tuple(gates) or own.gates,
        own.alpha if alpha is None else alpha,
        own.looks if looks is None else looks,
    )
    if (now.alpha, now.looks, _plain(now)) != (own.alpha, own.looks, _plain(own)):
        raise RegistryError(
            f"{name} was opened for {', '.join(own.gates)} at alpha {own.alpha:g} over {own.looks} looks: "
            "leave --gate, --alpha and --looks away, or judge under another name"
        )
    return own


def judge_named(
    model: Opened,
    content: bytes,
    splits: Splits,
    task: Task,
    asked: Terms,
    report: DataReport,
    *,
    registry: Registry,
    release: bool = False,
    output: Meaning | None = None,
    step: Step = plainly,
) -> Promotion:
    """Judge somebody else's model under a name, and make it the champion there if that is asked for.

    Args:
        model: the opened file, or a table of predictions, which is judged and never promoted.
        content: the bytes of either.
        splits: train and test rows; without train rows nobody knows whether test rows are among them.
        task: what is predicted, the classes in the order of the model's columns.
        asked: what it must show, as `asked_of` gives it.
        report: what the check of these rows found.
        registry: of the name; its ledger is open.
        release: whether a model that passes becomes the champion.
        output: what the file's only output is, where its name does not say it; the certificate keeps it.
        step: see `wdgate.promote`.

    Returns:
        `promoted`, `unchanged` or `refused`; without `release`, `passed` in place of the first.

    Raises:
        PipelineError: predictions that are to be promoted, or gates that cannot be asked.
        ModelError: a file that does not take these rows, found on train rows before a look is paid.
        RegistryError: the registry or its ledger do not allow it.
    """
    if release and isinstance(model, Predictions):
        raise PipelineError("predictions are judged and never promoted: only --onnx FILE can be served")
    check_gates_of(asked.made, model)
    _refuse_what_does_not_fit(model, splits)
    return promote(
        content,
        splits,
        model.task,
        asked.made,
        report,
        name=registry.name,
        run_id="",
        alpha=asked.alpha,
        looks=asked.looks,
        evidence=evidence(output),
        registry=registry,
        step=step,
        evaluates=_evaluates(model, task, registry, robust=needs_corruptions(asked.made)),
        only_judge=not release,
    )


def evidence(output: Meaning | None) -> dict[str, Any]:
    """What the certificate binds beside the judgement: how the file is read, and what it was judged by."""
    packages = ("mlflow", "numpy", "onnxruntime", "scipy")
    return {
        "output": output,
        "code": {"wdgate": version("wdgate")},
        "environment": {
            "python": platform.python_version(),
            "machine": platform.machine(),
            **{name: version(name) for name in packages},
        },
    }


def _plain(asked: Terms) -> list[dict[str, Any]]:
    return [gate.as_dict() for gate in asked.made]


def _refuse_what_does_not_fit(model: Opened, splits: Splits) -> None:
    if isinstance(model, Predictions):
        return
    first = splits.train.take(np.arange(min(len(splits.train), _FIRST_ROWS)))
    predicted = model.predict(read_inputs(first.inputs, np.arange(len(first))))
    model.task.scores(predicted, first.targets)


def _evaluates(model: Opened, task: Task, registry: Registry, *, robust: bool) -> Evaluates:
    """In place of `evaluate`: the candidate as it was opened, other files by what their certificates say."""

    def evaluate(
        onnx: bytes,
        split: Split,
        _task: Task,
        *,
        reference: Any = None,
        also: Mapping[str, Split] | None = None,
        corruptions: Sequence[Any] | None = None,
    ) -> Evaluation:
        name = sha256(onnx)
        opened = model if name == model.sha256 else ForeignModel(onnx, task, _meaning(registry, name))
        return evaluated(opened, split, also or {}, reference, robust=robust and corruptions is None)

    return evaluate


def _meaning(registry: Registry, onnx_sha256: str) -> Meaning | None:
    """What the only output of a champion is, as somebody said when it was promoted."""
    promoted = Standing.of(registry.ledger.entries()).promoted
    entry = next((entry for entry in promoted if onnx_of(entry) == onnx_sha256), None)
    if entry is None:
        return None
    said = releases.read_promoted(registry, entry)[1].predicate["evidence"].get("output")
    return next((meaning for meaning in get_args(Meaning) if meaning == said), None)
