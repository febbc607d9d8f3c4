"""Where do the generators of random numbers stand, of which a training draws?"""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch

Generator = torch.Generator | np.random.Generator


def generator_states(device: torch.device) -> dict[str, Any]:
    """Where the generators of random numbers are that nobody hands over: torch's, numpy's and Python's."""
    # Of this device alone: asking the others would take memory of each.
    cuda = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - what others' code draws from
    numbers = (kind, torch.from_numpy(np.asarray(keys, np.int64)), *rest)
    return {"torch": torch.get_rng_state(), "cuda": cuda, "numpy": numbers, "python": random.getstate()}


def set_generator_states(states: Mapping[str, Any], device: torch.device) -> None:
    """Let the generators go on from there."""
    torch.set_rng_state(states["torch"])
    if device.type == "cuda" and states["cuda"] is not None:
        torch.cuda.set_rng_state(states["cuda"], device)
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    random.setstate(states["python"])


def states_of(generators: Mapping[str, Generator], device: torch.device) -> dict[str, Any]:
    """The states of generators, and of those of the device that nobody hands over."""
    return {"shared": generator_states(device), "own": own_states(generators)}


def own_states(generators: Mapping[str, Generator]) -> dict[str, Any]:
    """The states of those that were handed over alone."""
    return {name: _state(each) for name, each in generators.items()}


def set_states(generators: Mapping[str, Generator], states: Mapping[str, Any], device: torch.device) -> None:
    """Let them go on from there; those of which no state is kept stay where they are."""
    set_generator_states(states["shared"], device)
    set_own_states(generators, states["own"])


def set_own_states(generators: Mapping[str, Generator], states: Mapping[str, Any]) -> None:
    """Let those that were handed over go on, and no others."""
    for name in generators.keys() & states.keys():
        _set(generators[name], states[name])


def generators_of(loader: object) -> dict[str, Generator]:
    """The generators that a DataLoader draws from where it was handed any: its own and its sampler's."""
    found: dict[str, Generator] = {}
    for place in _places(loader):
        generator = getattr(place, "generator", None)
        if isinstance(generator, Generator) and all(generator is not other for other in found.values()):
            found[f"{type(place).__name__}.generator"] = generator
    return found


def _places(loader: object) -> Iterator[object]:
    yield loader
    batches = getattr(loader, "batch_sampler", None)
    for place in (getattr(loader, "sampler", None), batches, getattr(batches, "sampler", None)):
        if place is not None:
            yield place


def _state(generator: Generator) -> Any:
    if isinstance(generator, torch.Generator):
        return generator.get_state()
    return copy.deepcopy(generator.bit_generator.state)


def _set(generator: Generator, state: Any) -> None:
    if isinstance(generator, torch.Generator):
        generator.set_state(state)
    else:
        generator.bit_generator.state = state
