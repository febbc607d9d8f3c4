"""What of somebody else's loop can a checkpoint hold, which reads nothing but tensors and plain values?"""

from __future__ import annotations

import io
import pickle
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map_only

from data_checks.errors import TrainingError
from wd_train.generators import Generator
from wd_train.loop import Stateful

KEPT = Tensor | np.generic | bool | int | float | complex | str | bytes | None


def apart(
    parts: Mapping[str, Stateful | Generator],
) -> tuple[dict[str, Generator], dict[str, Stateful]]:
    """Generators, and what has a state of another kind.

    Raises:
        TrainingError: a part that is neither.
    """
    generators = {name: part for name, part in parts.items() if isinstance(part, Generator)}
    stateful = {name: part for name, part in parts.items() if not isinstance(part, Generator)}
    for name, part in stateful.items():
        if not (hasattr(part, "state_dict") and hasattr(part, "load_state_dict")):
            raise TrainingError(
                f"{name} must have state_dict and load_state_dict, or be a generator of torch or NumPy, "
                f"got {type(part).__name__}"
            )
    return generators, stateful


def check_parts(parts: Mapping[str, Stateful]) -> None:
    """Raise now where a checkpoint could be written but not read, and not after the kill.

    Raises:
        TrainingError: with the part's name.
    """
    for name, part in parts.items():
        stream = io.BytesIO()
        try:
            torch.save(part.state_dict(), stream)
            stream.seek(0)
            torch.load(stream, weights_only=True)
        except (pickle.PicklingError, pickle.UnpicklingError, AttributeError, TypeError) as error:
            reason = str(error).splitlines()[0]
            raise TrainingError(
                f"the state of {name} must hold nothing but tensors and plain values: {reason}"
            ) from error


def plain(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What a loop keeps of its own; NumPy's numbers become Python's.

    Raises:
        TrainingError: anything else.
    """
    for name, value in kept.items():
        for leaf in tree_leaves(value):
            if not isinstance(leaf, KEPT):
                raise TrainingError(
                    f"kept[{name!r}] must hold numbers, text and tensors, in lists and dictionaries or not, "
                    f"got {type(leaf).__name__}"
                )
    plain: dict[str, Any] = tree_map_only(np.generic, lambda number: number.item(), dict(kept))
    return plain
