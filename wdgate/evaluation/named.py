"""Which scores have a name that is made of a class or a number, such as `recall/cat` or `top3_accuracy`?

Each is a mean of 0 and 1 over some of the rows, and so has an exact bound. A gate can name them; they are
not computed for every run, for with a thousand classes they are two thousand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Predictions = Mapping[str, NDArray[Any]]

RECALL, PRECISION = "recall/", "precision/"
# Of two classes: scikit-learn's names for those of the second.
SHORT = ("recall", "precision")
TOP = (2, 3, 5, 10)
_TOP_NAME = re.compile(r"top(\d+)_accuracy")


@dataclass(frozen=True, eq=False)
class Share:
    """1 and 0 on some of the rows.

    Args:
        values: what each of these rows scores (n,).
        positions: which rows they are (n,).
    """

    values: Floats
    positions: NDArray[np.intp]


def names_of(classes: Iterable[str], probabilities: bool) -> tuple[str, ...]:
    """All such names that a classification has; without probabilities there is no order of the classes.

    Example:
        >>> names_of(["no", "yes", "perhaps"], probabilities=True)[-3:]
        ('precision/yes', 'precision/perhaps', 'top2_accuracy')
    """
    known = tuple(classes)
    top = [f"top{k}_accuracy" for k in TOP if probabilities and k < len(known)]
    short = SHORT if len(known) == 2 else ()
    return (*short, *(RECALL + name for name in known), *(PRECISION + name for name in known), *top)


def directions(classes: Iterable[str], probabilities: bool) -> dict[str, bool | None]:
    """The direction of all such names, and of `balanced_accuracy`, which is made of them.

    Example:
        >>> list(directions(["no", "yes"], probabilities=False))[:3]
        ['balanced_accuracy', 'recall', 'precision']
    """
    return dict.fromkeys(("balanced_accuracy", *names_of(classes, probabilities)), True)


def says_share(name: str, predictions: Predictions) -> bool:
    """Whether a name is of this kind, of whatever class, and there are the predictions that it takes.

    Example:
        >>> says_share("recall/cat", {"predicted": np.zeros(1)}), says_share("top3_accuracy", {})
        (True, False)
    """
    of_class = name in SHORT or name.startswith((RECALL, PRECISION))
    if of_class:
        return "predicted" in predictions
    return bool(_TOP_NAME.fullmatch(name)) and "probs" in predictions


def share(name: str, classes: Iterable[str], predictions: Predictions, targets: NDArray[Any]) -> Share | None:
    """The rows of a named score and what they score; None where the name is no such one.

    `recall/CLASS`: the rows of the class, 1 where it was predicted. `precision/CLASS`: the rows that were
    predicted so, 1 where it was true; both at the threshold of the file, whose `predicted` is taken as it is.
    Without a class: those of the second of two. `top3_accuracy`: all rows, 1 where fewer than three classes
    have as much probability as the true one, itself counted: the same for every class is right on none.

    Args:
        name: what a gate asks for.
        classes: in the order of the target integers; empty for a task that has none.
        predictions: `predicted` (N,) and, for the top classes, `probs` (N, C).
        targets: true classes (N,).
    """
    known = tuple(classes)
    if name not in names_of(known, "probs" in predictions):
        return None
    top = _TOP_NAME.fullmatch(name)
    if top:
        return Share(top_correct(predictions["probs"], targets, int(top[1])), np.arange(len(targets)))
    kind, of, label = name.partition("/")
    place = known.index(label) if of else 1
    of_class = (targets if kind == "recall" else predictions["predicted"]) == place
    positions = np.flatnonzero(of_class)
    right = predictions["predicted"][positions] == targets[positions]
    return Share(np.asarray(right, np.float64), positions)


def top_correct(probs: Floats, targets: NDArray[Any], k: int) -> Floats:
    """1 where the true class is among the k most probable, else 0; (N,). A tie counts against the model.

    Example:
        >>> top_correct(np.array([[0.5, 0.3, 0.2], [0.2, 0.4, 0.4]]), np.array([1, 2]), 2).tolist()
        [1.0, 1.0]
    """
    true = probs[np.arange(len(targets)), targets]
    return np.asarray((probs >= true[:, None]).sum(axis=1) <= k, np.float64)
