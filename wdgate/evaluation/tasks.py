"""What is predicted, how is a row scored, and which numbers are no mean of rows?

A task is four functions, and a constant predictor to be better than. `loss` and `predictions` are
handed torch tensors by the trainer and are traced into the exported file; they use tensor methods
alone, so that this room needs no torch. `scores` and `metrics` are handed NumPy arrays, as the
exported file returned them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError, ModelError, PipelineError
from wdgate.evaluation import calibration, named, perfect, ranking, scores, usable
from wdgate.evaluation.lazy import Lazy

Floats = NDArray[np.floating]
Predictions = Mapping[str, NDArray[Any]]

# Marks a part of a task that lies in the exported file and changes no score.
IN_FILE = "in_file"


class Task(Protocol):
    """Four functions, and what is known of their results."""

    @property
    def outputs(self) -> int:
        """How many numbers the network gives a row."""
        ...

    @property
    def primary(self) -> str:
        """The score that robustness is measured in."""
        ...

    @property
    def proper(self) -> str:
        """The score that skill is measured in: one that only the true distribution minimizes."""
        ...

    @property
    def higher_is_better(self) -> Mapping[str, bool | None]:
        """The direction of each score and metric; None where the best value is 0, from either side."""
        ...

    def loss(self, outputs: Any, targets: Any) -> Any:
        """What is minimized, a row (N,)."""
        ...

    def predictions(self, outputs: Any) -> dict[str, Any]:
        """The named outputs of the exported file, each (N, ...)."""
        ...

    def scores(self, predictions: Predictions, targets: NDArray[Any]) -> dict[str, Floats]:
        """Scores by name, one a row (N,); raises `ModelError` where the predictions are not this task's."""
        ...

    def metrics(
        self, predictions: Predictions, targets: NDArray[Any], weights: Floats | None
    ) -> Mapping[str, float]:
        """Numbers that are no mean of rows; NaN where these rows do not define one."""
        ...

    def constant(
        self, targets: NDArray[Any], rows: int, weights: Floats | None = None
    ) -> dict[str, NDArray[Any]]:
        """What a predictor that knows only `targets` (K,), and no input, predicts for each of `rows` rows.

        The best one there is, where what it is measured by is a mean with these `weights` (K,).
        """
        ...


def described(task: Task) -> dict[str, Any]:
    """What a task is, as plain values: two models can be compared only where it is the same.

    What only says how a file is written is left out: models with other thresholds can be compared.

    Example:
        >>> described(Classification(("cat", "dog"), threshold=0.3))
        {'task': 'Classification', 'classes': ['cat', 'dog']}
    """
    every: tuple[Field[Any], ...] = fields(task) if is_dataclass(task) else ()
    own = {one.name: getattr(task, one.name) for one in every if not one.metadata.get(IN_FILE)}
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in own.items()}
    return {"task": type(task).__name__, **plain}


@dataclass(frozen=True)
class Classification:
    """One of several classes, or of two.

    The file's `predicted` is the most probable class; of two classes with a `threshold`, the second where
    its probability is at least that. Accuracy, recall and precision are those of `predicted`.

    Scores: `accuracy`, `nll`, `brier` (summed over classes), and `confidence_gap`, confidence minus
    correct, whose mean is best at 0: above it the model is too sure of itself. By name only, for a gate:
    `recall/CLASS`, `precision/CLASS`, of two classes also `recall` and `precision`, which are those of the
    second, and `top3_accuracy` (2, 3, 5 or 10) of more classes than that.

    Metrics: `balanced_accuracy`, `auc` and `average_precision` (of the second of two classes; of more, the
    mean of each against the rest), and four calibration errors: `ece` and `classwise_ece` over 15 bins of
    equal mass, `l2_ece`, which is debiased, and `smooth_ece`. What a perfect model would show of them is
    told beside them as `ece_if_perfect`, and so on: no gate can name it.

    Args:
        classes: the names of the classes, in the order of the target integers.
        threshold: of the second of two classes, above 0 and below 1; None: the most probable class.

    Raises:
        PipelineError: fewer than two classes, or one name twice; a threshold of another number of classes,
            or one that is no probability.

    Example:
        >>> task = Classification(("cat", "dog"))
        >>> predictions = {"probs": np.array([[0.9, 0.1], [0.2, 0.8]]), "predicted": np.array([0, 1])}
        >>> task.scores(predictions, np.array([0, 0]))["accuracy"].tolist()
        [1.0, 0.0]
    """

    classes: tuple[str, ...]
    threshold: float | None = field(default=None, metadata={IN_FILE: True})

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(str(name) for name in self.classes))
        if len(set(self.classes)) < 2 or len(set(self.classes)) < len(self.classes):
            raise PipelineError(
                f"classes must be two or more different names, got {', '.join(self.classes) or 'none'}"
            )
        if self.threshold is not None:
            _check_threshold(self.threshold, len(self.classes))
            object.__setattr__(self, "threshold", float(self.threshold))

    @property
    def outputs(self) -> int:
        """One logit a class."""
        return len(self.classes)

    @property
    def primary(self) -> str:
        """Robustness is measured in accuracy."""
        return "accuracy"

    @property
    def proper(self) -> str:
        """Skill is measured in negative log-likelihood."""
        return "nll"

    @property
    def higher_is_better(self) -> Mapping[str, bool | None]:
        """The direction of each score and metric; None: best at 0."""
        of_probs = {"nll": False, "brier": False, "confidence_gap": None}
        errors = dict.fromkeys(("ece", "l2_ece", "smooth_ece", "classwise_ece"), False)
        ranks = dict.fromkeys(("auc", "average_precision"), True)
        return {"accuracy": True, **of_probs, **errors, **ranks, **named.directions(self.classes, True)}

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Cross-entropy of logits (N, C) with classes (N,), a row (N,)."""
        return outputs.logsumexp(dim=1) - outputs.gather(1, targets[:, None]).squeeze(1)

    def predictions(self, outputs: Any) -> dict[str, Any]:
        """`probs` (N, C) in single precision and `predicted` (N,), from logits (N, C)."""
        probs = outputs.softmax(dim=1).float()
        if self.threshold is None:
            return {"probs": probs, "predicted": outputs.argmax(dim=1)}
        return {"probs": probs, "predicted": (probs[:, 1] >= self.threshold).long()}

    def called(self, probs: NDArray[Any]) -> NDArray[Any]:
        """What follows from probabilities (N, C) alone: the class (N,) that the file would predict.

        Raises:
            ModelError: not a column a class.
        """
        usable.check_shape("probs", probs, (len(probs), len(self.classes)), "a column a class")
        if self.threshold is None:
            return np.asarray(probs.argmax(axis=1))
        return (probs[:, 1] >= self.threshold).astype(np.int64)

    def margin(self, outputs: Any) -> Any:
        """How far logits (N, C) are from predicting another class, a row (N,), in the unit of logits."""
        if self.threshold is None:
            best = outputs.topk(2, dim=1).values
            return best[:, 0] - best[:, 1]
        return (outputs[:, 1] - outputs[:, 0] - math.log(self.threshold / (1 - self.threshold))).abs()

    def scores(self, predictions: Predictions, targets: NDArray[Any]) -> dict[str, Floats]:
        """Accuracy, nll, brier and confidence gap, one a row (N,)."""
        usable.check_classes("targets", targets, len(self.classes), DataError)
        self._check(predictions, len(targets))
        probs, predicted = predictions["probs"], predictions["predicted"]
        correct = scores.correct(predicted, targets)
        return {
            "accuracy": correct,
            "nll": scores.nll(probs, targets),
            "brier": scores.brier(probs, targets),
            "confidence_gap": calibration.confidence(probs) - correct,
        }

    def metrics(
        self, predictions: Predictions, targets: NDArray[Any], weights: Floats | None
    ) -> Mapping[str, float]:
        """Calibration errors, balanced accuracy and rankings, each computed when it is asked for."""
        probs, predicted = predictions["probs"], predictions["predicted"]
        sure, correct = calibration.confidence(probs), scores.correct(predicted, targets)
        return Lazy(
            {
                "ece": lambda: calibration.ece(sure, correct, weights),
                "l2_ece": lambda: calibration.l2_ece(sure, correct, weights),
                "smooth_ece": lambda: calibration.smooth_ece(sure, correct, weights),
                "classwise_ece": lambda: calibration.classwise_ece(probs, targets, weights),
                "ece_if_perfect": lambda: perfect.ece_if_perfect(sure, weights),
                "smooth_ece_if_perfect": lambda: perfect.smooth_ece_if_perfect(sure, weights),
                "classwise_ece_if_perfect": lambda: perfect.classwise_ece_if_perfect(probs, weights),
                "balanced_accuracy": lambda: scores.balanced_accuracy(predicted, targets, weights),
                "auc": lambda: ranking.macro(ranking.roc, probs, targets, weights).value,
                "average_precision": lambda: (
                    ranking.macro(ranking.precision_recall, probs, targets, weights).value
                ),
            }
        )

    def constant(
        self, targets: NDArray[Any], rows: int, weights: Floats | None = None
    ) -> dict[str, NDArray[Any]]:
        """The class frequencies of `targets` as `probs` of every row, and the commonest class."""
        counts = np.bincount(targets, scores.as_counts(weights, len(targets)), minlength=len(self.classes))
        # One row is supposed of a class that `targets` lack, which would cost infinitely much otherwise.
        supposed = np.maximum(counts, 1) / np.maximum(counts, 1).sum()
        over = self.threshold is not None and bool(supposed[1] >= self.threshold)
        predicted = int(counts.argmax()) if self.threshold is None else int(over)
        return {"probs": np.tile(supposed, (rows, 1)), "predicted": np.full(rows, predicted)}

    def _check(self, predictions: Predictions, rows: int) -> None:
        probs, predicted = usable.output(predictions, "probs"), usable.output(predictions, "predicted")
        if probs.shape != (rows, len(self.classes)):
            raise ModelError(
                f"probs has shape {probs.shape}, expected ({rows}, {len(self.classes)}): a row for each of "
                f"{rows:,} inputs and a column for each of {len(self.classes)} classes"
            )
        usable.check_probabilities(probs)
        if predicted.shape != (rows,) or predicted.dtype.kind not in "iu":
            raise ModelError(f"predicted is {predicted.dtype} {predicted.shape}, expected integers ({rows},)")
        usable.check_classes("predicted", predicted, len(self.classes))


@dataclass(frozen=True)
class Regression:
    """One number a row.

    Scores: `squared_error` and `absolute_error`. Metric: `r2`.

    Example:
        >>> task = Regression()
        >>> task.scores({"predicted": np.array([1.0, 4.0])}, np.array([1.0, 2.0]))["squared_error"].tolist()
        [0.0, 4.0]
    """

    @property
    def outputs(self) -> int:
        """One number."""
        return 1

    @property
    def primary(self) -> str:
        """Robustness is measured in absolute error, which has the targets' unit."""
        return "absolute_error"

    @property
    def proper(self) -> str:
        """Skill is measured in squared error, which the mean minimizes."""
        return "squared_error"

    @property
    def higher_is_better(self) -> Mapping[str, bool | None]:
        """The direction of each score and metric."""
        return {"squared_error": False, "absolute_error": False, "r2": True}

    def loss(self, outputs: Any, targets: Any) -> Any:
        """Squared error of outputs (N, 1) or (N,), a row (N,)."""
        return (_one_number(outputs) - targets.to(outputs.dtype)) ** 2

    def predictions(self, outputs: Any) -> dict[str, Any]:
        """`predicted` (N,) in single precision, from outputs (N, 1) or (N,)."""
        return {"predicted": _one_number(outputs).float()}

    def scores(self, predictions: Predictions, targets: NDArray[Any]) -> dict[str, Floats]:
        """Squared and absolute error, one a row (N,)."""
        usable.check_values(targets)
        predicted = usable.output(predictions, "predicted")
        usable.check_shape("predicted", predicted, (len(targets),), "a number an input")
        usable.check_finite("predicted", predicted)
        error = predicted.astype(np.float64) - targets
        return {"squared_error": scores.squared(error), "absolute_error": np.abs(error)}

    def metrics(
        self, predictions: Predictions, targets: NDArray[Any], weights: Floats | None
    ) -> dict[str, float]:
        """The share of the variance that is explained."""
        return {"r2": scores.r2(predictions["predicted"].astype(np.float64), targets, weights)}

    def constant(
        self, targets: NDArray[Any], rows: int, weights: Floats | None = None
    ) -> dict[str, NDArray[Any]]:
        """The mean of `targets`, for every row."""
        mean = np.average(targets, weights=scores.as_counts(weights, len(targets)))
        return {"predicted": np.full(rows, float(mean))}


def _one_number(outputs: Any) -> Any:
    return outputs.squeeze(-1) if outputs.ndim > 1 else outputs


def _check_threshold(threshold: Any, classes: int) -> None:
    if classes != 2:
        raise PipelineError(f"a threshold is for two classes, and there are {classes}")
    number = isinstance(threshold, int | float | np.number) and not isinstance(threshold, bool)
    # Written as "not within" so that NaN, which compares false, is refused.
    if not number or not 0 < threshold < 1:
        raise PipelineError(f"threshold must be a probability above 0 and below 1, got {threshold!r}")
