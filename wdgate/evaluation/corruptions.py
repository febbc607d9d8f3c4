"""What may happen to a row between the rows that a model was made for and those that it meets?

Each corruption is a pure function of numbers (n, ...), of what is usual for them, of noise, and of a
severity from 1 to 5, in the manner of Hendrycks & Dietterich (2019). Their strengths were chosen for
pictures of 224 pixels (ImageNet-C), and weaker ones for 32 (CIFAR-10-C). Ours are shares of the rows' own
range: noise and brightness lie between the two, contrast is milder than CIFAR-10-C's from the second on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]

SEVERITIES = (1, 2, 3, 4, 5)
CORRUPTED = "corrupted_"
"""What the name of a score begins with that was measured on corrupted rows."""


@dataclass(frozen=True, eq=False)
class Usual:
    """What is usual for some numbers, measured on rows of the split.

    Args:
        low, high: the range of all of them.
        center: the median of each place in a row (...).
        spread: the standard deviation at each place in a row (...).
    """

    low: float
    high: float
    center: Floats
    spread: Floats


@dataclass(frozen=True, eq=False)
class Noise:
    """What is random about rows, the same for every corruption and severity of them.

    Args:
        normal: standard normal numbers, shaped as the rows (n, ...).
        uniform: numbers from 0 to 1, shaped as the rows (n, ...).
    """

    normal: Floats
    uniform: Floats


Change = Callable[[Any, Usual, Noise, int], Any]


@dataclass(frozen=True)
class Corruption:
    """A named way of making rows worse.

    Args:
        name: as it is reported, and as `corrupted_accuracy/NAME` asks for it.
        change: `change(values, usual, noise, severity)` keeps the shape of the values.
        kind: what the values are: `numbers` (pictures or columns), `text` or `tokens`.
    """

    name: str
    change: Change
    kind: str = "numbers"


def gaussian_noise(values: Floats, usual: Usual, noise: Noise, severity: int) -> Floats:
    """Add normal noise to every pixel: a sensor in the dark."""
    return values + (0.04, 0.08, 0.13, 0.2, 0.3)[severity - 1] * (usual.high - usual.low) * noise.normal


def impulse_noise(values: Floats, usual: Usual, noise: Noise, severity: int) -> Floats:
    """Turn single pixels fully dark or fully bright."""
    half = (0.01, 0.02, 0.04, 0.07, 0.11)[severity - 1] / 2
    return np.where(noise.uniform < half, usual.low, np.where(noise.uniform > 1 - half, usual.high, values))


def blur(values: Floats, usual: Usual, noise: Noise, severity: int) -> Floats:
    """Smooth by a Gaussian whose width grows with the picture's shorter side."""
    from scipy import ndimage

    axes = sides(values.shape)
    share = (0.012, 0.02, 0.03, 0.045, 0.065)[severity - 1]
    # Less than a quarter of a pixel would leave a small picture as it is.
    sigma = 0.25 + share * min(values.shape[axis] for axis in axes)
    return np.asarray(ndimage.gaussian_filter(values, sigma, axes=axes, mode="nearest"))


def brightness(values: Floats, usual: Usual, noise: Noise, severity: int) -> Floats:
    """Lift all pixels towards the bright end."""
    return values + (0.06, 0.12, 0.18, 0.25, 0.33)[severity - 1] * (usual.high - usual.low)


def contrast(values: Floats, usual: Usual, noise: Noise, severity: int) -> Floats:
    """Draw all pixels towards the picture's own mean."""
    mean = values.mean(axis=tuple(range(1, values.ndim)), keepdims=True)
    kept = (0.72, 0.56, 0.42, 0.3, 0.22)[severity - 1]
    return np.asarray(mean + kept * (values - mean))


def shift(values: Floats, usual: Usual, noise: Noise, severity: int) -> Floats:
    """Move the picture down and to the right by a part of its sides, repeating its edge."""
    from scipy import ndimage

    share = (0.02, 0.04, 0.06, 0.08, 0.1)[severity - 1]
    distance = [
        share * size if axis in sides(values.shape) else 0.0 for axis, size in enumerate(values.shape)
    ]
    return np.asarray(ndimage.shift(values, distance, order=1, mode="nearest"))


def column_noise(values: Floats, usual: Usual, noise: Noise, severity: int) -> Floats:
    """Add normal noise in proportion to each column's spread: a worse instrument."""
    return values + (0.05, 0.1, 0.2, 0.3, 0.45)[severity - 1] * usual.spread * noise.normal


def missing(values: Floats, usual: Usual, noise: Noise, severity: int) -> Floats:
    """Put the column's median in place of some cells of each row, at least one: nobody filled them in."""
    count = max(1, round((0.02, 0.05, 0.1, 0.2, 0.3)[severity - 1] * values.shape[1]))
    chosen = noise.uniform.argsort(axis=1).argsort(axis=1) < count
    return np.where(chosen, usual.center, values)


def rounding(values: Floats, usual: Usual, noise: Noise, severity: int) -> Floats:
    """Round to steps in proportion to each column's spread: a coarser instrument."""
    step = (0.1, 0.25, 0.5, 0.75, 1.0)[severity - 1] * np.where(usual.spread > 0, usual.spread, 1.0)
    return usual.center + np.round((values - usual.center) / step) * step


PICTURES = tuple(
    Corruption(f.__name__, f) for f in (gaussian_noise, impulse_noise, blur, brightness, contrast, shift)
)
COLUMNS = tuple(Corruption(f.__name__, f) for f in (column_noise, missing, rounding))


def clean_score(name: str) -> str:
    """The score that a name is of, on corrupted rows or not: `corrupted_accuracy/blur` is of accuracy.

    Example:
        >>> [clean_score(name) for name in ("corrupted_accuracy/blur", "corrupted_accuracy", "recall/cat")]
        ['accuracy', 'accuracy', 'recall/cat']
    """
    return name.removeprefix(CORRUPTED).partition("/")[0] if name.startswith(CORRUPTED) else name


def corruption_of(name: str) -> str:
    """The one corruption that a score's name is of; empty where it is of all, or of none.

    Example:
        >>> corruption_of("corrupted_accuracy/blur"), corruption_of("recall/cat")
        ('blur', '')
    """
    return name.partition("/")[2] if name.startswith(CORRUPTED) else ""


def sides(shape: tuple[int, ...]) -> tuple[int, int]:
    """The axes of height and width of pictures (N, H, W), (N, H, W, C) or (N, C, H, W).

    Example:
        >>> sides((10, 28, 28)), sides((10, 28, 28, 3)), sides((10, 3, 28, 28))
        ((1, 2), (1, 2), (2, 3))
    """
    channels_first = len(shape) == 4 and shape[1] <= 4 < shape[3]
    return (2, 3) if channels_first else (1, 2)
