"""Is what a checkpoint holds of this loop, or of another?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from wd_train.loop import Stateful


def shapes_of(model: nn.Module) -> dict[str, tuple[int, ...]]:
    """The shapes of a model's tensors, by name.

    Example:
        >>> shapes_of(nn.Linear(2, 1))
        {'weight': (1, 2), 'bias': (1,)}
    """
    state = model.state_dict()
    return {name: tuple(values.shape) for name, values in state.items() if isinstance(values, Tensor)}


def other_than(model: nn.Module, parts: Mapping[str, Stateful], state: Mapping[str, Any]) -> str | None:
    """What the state is of that this loop is not; None where it is of this one.

    Args:
        model: of this loop.
        parts: whose states are kept, among them `optimizer`.
        state: with the `tensors` of a model and the states of `parts`.
    """
    here, there = shapes_of(model), state.get("tensors", {})
    if here != there:
        name = next(n for n in [*here, *there] if here.get(n) != there.get(n))
        return f"it is of a model whose {name} is {there.get(name)}, expected {here.get(name)}"
    if parts.keys() != state["parts"].keys():
        return f"it holds {', '.join(state['parts'])}, expected {', '.join(parts)}"
    kept, own = (
        _group_sizes(each) for each in (state["parts"]["optimizer"], parts["optimizer"].state_dict())
    )
    if kept != own:
        return f"its optimizer steps groups of {kept} parameters, expected {own}"
    return None


def _group_sizes(state: Mapping[str, Any]) -> list[int]:
    return [len(group["params"]) for group in state["param_groups"]]
