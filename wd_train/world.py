"""Which process of a training is this, of how many?"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from data_checks.errors import TrainingError

if TYPE_CHECKING:  # torch takes seconds to import, and whoever reads the environment needs none of it
    from torch import Tensor

SIZE = "WORLD_SIZE"
NEEDED = ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


@dataclass(frozen=True)
class World:
    """The processes that train one network together, seen from one of them.

    Args:
        rank: of this process, from 0. Rank 0 alone writes, tells and answers.
        size: how many there are.
        local_rank: of this process on its machine: the number of its card.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @property
    def alone(self) -> bool:
        """Whether nobody else trains."""
        return self.size == 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and tells."""
        return self.rank == 0

    def seed(self, seed: int) -> int:
        """The seed of dropout and augmentation, which no two processes may draw alike.

        Example:
            >>> World().seed(3), World(1, 2).seed(3) == World(2, 3).seed(3)
            (3, False)
        """
        if self.first:
            return seed
        digest = hashlib.sha256(f"{seed} rank {self.rank}".encode()).digest()
        return int.from_bytes(digest[:7], "big")

    def share(self, batch: Tensor) -> Tensor:
        """The rows (n,) of a batch (B,) that are this process's: a slice, which may be empty."""
        return batch if self.alone else batch.tensor_split(self.size)[self.rank]


def read_world(environment: Mapping[str, str] = os.environ) -> World:
    """The world that `torchrun` has put into the environment; without it, a world of one.

    Raises:
        TrainingError: some of its variables are missing, or are no ranks.

    Example:
        >>> read_world({"WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1"})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        data_checks.errors.TrainingError: WORLD_SIZE is 2, but MASTER_ADDR is not set: start the processes ...
    """
    size = _number(environment, SIZE) if environment.get(SIZE) else 1
    if size == 1:
        return World()
    for name in NEEDED:
        if not environment.get(name):
            raise TrainingError(f"{SIZE} is {size}, but {name} is not set: start the processes by torchrun")
    rank = _number(environment, "RANK")
    if not rank < size:
        raise TrainingError(f"RANK is {rank}, expected less than the {size} of {SIZE}")
    return World(rank, size, _number(environment, "LOCAL_RANK"))


def _number(environment: Mapping[str, str], name: str) -> int:
    value = environment[name]
    if not value.isdecimal() or (name == SIZE and int(value) == 0):
        raise TrainingError(f"{name} is {value!r}, expected a whole number of at least {int(name == SIZE)}")
    return int(value)
