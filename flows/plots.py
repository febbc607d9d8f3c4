"""Which pictures say what numbers cannot? PNG bytes, drawn without any screen."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from wdgate.evaluation.evaluation import Evaluation


def curves(history: Sequence[Mapping[str, Any]]) -> bytes:
    """Loss of train and validation rows, and the norm of the weights, over the epochs."""
    figure, (left, right) = _figure(columns=2)
    epochs = [row["epoch"] for row in history]
    for name, label in (("train_loss", "train"), ("validation_loss", "validation")):
        left.plot(epochs, [row[name] for row in history], label=label)
    left.set(xlabel="epoch", ylabel="loss", yscale="log")
    left.legend(frameon=False)
    right.plot(epochs, [row["weight_norm"] for row in history], color="tab:green")
    right.set(xlabel="epoch", ylabel="norm of the decayed weights")
    return _png(figure)


def reliability(evaluation: Evaluation) -> bytes:
    """Accuracy against confidence on the test rows, with the number of rows in each bin."""
    from wdgate.evaluation import calibration

    confidence = calibration.confidence(evaluation.predictions["probs"])
    table = calibration.reliability(confidence, evaluation.scores["accuracy"])
    figure, (axes,) = _figure(columns=1)
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="perfectly calibrated")
    axes.plot(table.confidence, table.accuracy, marker="o", label="this model")
    for x, y, count in zip(table.confidence, table.accuracy, table.count, strict=True):
        axes.annotate(
            str(count), (x, y), textcoords="offset points", xytext=(4, -10), fontsize=7, color="0.4"
        )
    axes.set(
        xlabel="confidence", ylabel="accuracy", title=f"{len(evaluation):,} test rows, bins of equal count"
    )
    axes.legend(frameon=False)
    return _png(figure)


def _figure(columns: int) -> tuple[Figure, Sequence[Axes]]:
    # The figure class, not pyplot: nothing global, no window, safe in any thread.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5 * columns, 3.5), layout="constrained")
    return figure, [figure.add_subplot(1, columns, column + 1) for column in range(columns)]


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
