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


def decay_curves(readings: Sequence[Mapping[str, Any]]) -> bytes:
    """Norm ratio and distance from equilibrium of the decayed tensors over the steps, early layers dark."""
    figure, (left, right) = _figure(columns=2)
    names = [tensor["name"] for tensor in readings[-1]["tensors"]]
    for place, name in enumerate(names):
        # Names of hundreds of tensors would hide their curves.
        named = len(names) <= 8 or place in (0, len(names) - 1)
        style: dict[str, Any] = {"color": _depth(place, len(names)), "label": name if named else None}
        left.plot(*_curve(readings, place, "norm_ratio"), **style)
        right.plot(*_curve(readings, place, "distance_from_equilibrium"), **style)
    left.set(xlabel="step", ylabel="norm / norm at the start", ylim=(0, None))
    left.legend(frameon=False, fontsize=7)
    right.axhline(0, color="0.7", linestyle="--")
    right.set(xlabel="step", ylabel="distance from equilibrium", ylim=(-1.05, 1.05))
    right.set_title("-1: only the decay acts.  1: it counts for nothing", fontsize=9)
    return _png(figure)


def _curve(readings: Sequence[Mapping[str, Any]], place: int, quantity: str) -> tuple[list[int], list[float]]:
    """Steps and values of one tensor, where there is a value."""
    known = [
        (reading["step"], reading["tensors"][place][quantity])
        for reading in readings
        if reading["tensors"] and reading["tensors"][place][quantity] is not None
    ]
    return [step for step, _ in known], [value for _, value in known]


def _depth(place: int, count: int) -> tuple[float, float, float]:
    """A blue for a layer, dark at the first and light at the last."""
    light = 0.75 * place / max(1, count - 1)
    return light, 0.2 + 0.7 * light, 0.5 + 0.45 * light


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
