"""How is a classifier scored that names a class and no probability?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from data_checks.errors import DataError
from wdgate.evaluation import named, scores, usable
from wdgate.evaluation.tasks import Classification, Floats, Predictions


@dataclass(frozen=True)
class Labels:
    """A classification of which only `predicted` is known.

    Scores: `accuracy` and `error`, its complement, in which skill is measured against the commonest class.
    Metric: `balanced_accuracy`. By name, as of a `Classification`: `recall/CLASS`, `precision/CLASS`, and of
    two classes `recall` and `precision`. Nothing can be said of calibration, or of the order of rows.

    Example:
        >>> import numpy as np
        >>> task = Labels(("cat", "dog"))
        >>> task.scores({"predicted": np.array([0, 1])}, np.array([0, 0]))["error"].tolist()
        [0.0, 1.0]
    """

    classes: tuple[str, ...]

    @property
    def outputs(self) -> int:
        """One number a class."""
        return len(self.classes)

    @property
    def primary(self) -> str:
        """Slices are measured in accuracy."""
        return "accuracy"

    @property
    def proper(self) -> str:
        """Skill is measured in the share of wrong rows, which the commonest class minimizes."""
        return "error"

    @property
    def higher_is_better(self) -> Mapping[str, bool | None]:
        """The direction of each score and metric."""
        return {"accuracy": True, "error": False, **named.directions(self.classes, False)}

    def scores(self, predictions: Predictions, targets: NDArray[Any]) -> dict[str, Floats]:
        """Accuracy and error, one a row (N,)."""
        usable.check_classes("targets", targets, len(self.classes), DataError)
        predicted = usable.output(predictions, "predicted")
        usable.check_shape("predicted", predicted, (len(targets),), "a class an input")
        usable.check_classes("predicted", predicted, len(self.classes))
        correct = scores.correct(predicted, targets)
        return {"accuracy": correct, "error": 1 - correct}

    def metrics(
        self, predictions: Predictions, targets: NDArray[Any], weights: Floats | None
    ) -> dict[str, float]:
        """Balanced accuracy."""
        return {"balanced_accuracy": scores.balanced_accuracy(predictions["predicted"], targets, weights)}

    def constant(
        self, targets: NDArray[Any], rows: int, weights: Floats | None = None
    ) -> dict[str, NDArray[Any]]:
        """The commonest class of `targets`."""
        return {"predicted": Classification(self.classes).constant(targets, rows, weights)["predicted"]}

    def loss(self, outputs: Any, targets: Any) -> Any:
        """What a trainer would minimize: cross-entropy of logits (N, C) with classes (N,), a row (N,)."""
        return Classification(self.classes).loss(outputs, targets)

    def predictions(self, outputs: Any) -> dict[str, Any]:
        """`predicted` (N,), from logits (N, C)."""
        return {"predicted": outputs.argmax(dim=1)}
