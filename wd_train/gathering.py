"""What do all processes of a training know together, and how do they decide alike?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.utils._pytree import tree_map_only

from wd_train.checkpoints import Checkpoints
from wd_train.measuring import Seen, measure_outputs
from wd_train.network import predict
from wd_train.rows import AT_ONCE, Rows
from wd_train.world import World
from wdgate.evaluation.tasks import Task


def largest(world: World, number: int) -> int:
    """The largest of the numbers of all processes."""
    return int(max(of_each(world, number)))


def any_of(world: World, *flags: bool) -> tuple[bool, ...]:
    """Each flag, raised for all where one process raises it."""
    if world.alone:
        return flags
    raised = torch.tensor(flags, dtype=torch.uint8)
    dist.all_reduce(raised, op=dist.ReduceOp.MAX)
    return tuple(bool(flag) for flag in raised)


def gathered(world: World, rows: Tensor) -> Tensor:
    """The rows (n, ...) of all processes, one process after another; n may differ, even be 0."""
    counts = torch.zeros(world.size, dtype=torch.int64)
    counts[world.rank] = len(rows)
    dist.all_reduce(counts)
    # A collective takes parts of one size.
    padded = rows.new_zeros((int(counts.max()), *rows.shape[1:]))
    padded[: len(rows)] = rows
    parts = [torch.empty_like(padded) for _ in range(world.size)]
    dist.all_gather(parts, padded)
    return torch.cat([part[:rows] for part, rows in zip(parts, counts.tolist(), strict=True)])


def measured(world: World, net: nn.Module, rows: Rows, task: Task) -> tuple[float, float]:
    """Mean loss and mean primary score of the rows, each process predicting its slice; see `measure`."""
    if world.alone:
        return measure_outputs(predict(net, rows), rows, task)
    for buffer in net.buffers():
        # Statistics of a batch norm on a CPU are each process's own, until the next step.
        dist.broadcast(buffer, 0)
    numbers = measure_outputs(gathered(world, _predict_share(world, net, rows)), rows, task)
    # Cards of different make differ in the last digit, and patience must run out everywhere at once.
    agreed = torch.tensor(numbers, dtype=torch.float64)
    dist.broadcast(agreed, 0)
    return float(agreed[0]), float(agreed[1])


def _predict_share(world: World, net: nn.Module, rows: Rows) -> Tensor:
    indices = torch.arange(len(rows))
    own = world.share(indices)
    was_training = net.training
    net.eval()
    with torch.no_grad():
        # Where there is no row for this process, it learns from one of another's what outputs look like.
        parts = (own if len(own) else indices[:1]).split(AT_ONCE)  # type: ignore[no-untyped-call]
        outputs = torch.cat([net(rows.inputs(part)) for part in parts])
    net.train(was_training)
    return outputs[: len(own)]


def check(world: World, seen: Seen) -> None:
    """Look whether the losses of all processes are finite, so that all stop alike; see `Seen.check`."""
    _with_all_losses(world, seen).check()


def as_one(world: World, seen: Seen, task: Task, rows: Rows) -> Seen:
    """What all processes have seen of an epoch, with outputs folded into their scores."""
    if world.alone:
        return seen
    losses = _with_all_losses(world, seen)
    # Before the scores: what has diverged has none.
    losses.check()
    state = {**seen.folded(task, rows).state_dict(), "losses": losses.state_dict()["losses"]}
    sums = torch.tensor([state["folded"], state["sum"]], dtype=torch.float64)
    dist.all_reduce(sums)
    whole = Seen()
    whole.load_state_dict({**state, "folded": int(sums[0]), "sum": float(sums[1])})
    return whole


def _with_all_losses(world: World, seen: Seen) -> Seen:
    if world.alone:
        return seen
    state = seen.state_dict()
    losses = torch.stack(state["losses"])
    # Each has its rows' share in the mean over a batch.
    dist.all_reduce(losses)
    summed = Seen()
    summed.load_state_dict({**state, "losses": list(losses)})
    return summed


def counted_once(world: World, states: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The part of this process in what the processes before a stop had seen of an epoch.

    As many processes go on each with its own. Others share: losses and sums are added up, so that nothing
    is counted twice, and nothing is lost.

    Args:
        world: the processes that go on.
        states: of the `Seen` of each process before.
    """
    own = states[world.rank :: world.size]
    losses = [torch.stack(batch).sum(0) for batch in zip(*(state["losses"] for state in own), strict=True)]
    return {
        "first_step": states[0]["first_step"],
        "folded": sum(state["folded"] for state in own),
        "sum": sum(state["sum"] for state in own),
        "losses": losses if own else [torch.zeros_like(loss) for loss in states[0]["losses"]],
        "outputs": [outputs for state in own for outputs in state["outputs"]],
        "indices": [indices for state in own for indices in state["indices"]],
    }


def of_each(world: World, value: Any) -> list[Any]:
    """The value of every process, in the order of their ranks."""
    if world.alone:
        return [value]
    values: list[Any] = [None] * world.size
    # Whoever is handed it has another device.
    dist.all_gather_object(values, tree_map_only(Tensor, Tensor.cpu, value))
    return values


class SharedCheckpoints:
    """The checkpoints of a training in several processes: rank 0 reads and writes, all take part.

    Args:
        world: the processes.
        checkpoints: of rank 0; None leaves nothing.
    """

    def __init__(self, world: World, checkpoints: Checkpoints | None) -> None:
        self._world = world
        self._checkpoints = checkpoints if world.first else None

    def due(self) -> bool:
        """Whether the next one is due by the clock of rank 0; the others never say so."""
        return self._checkpoints is not None and self._checkpoints.due()

    def save(self, state: Callable[[], Mapping[str, Any]]) -> None:
        """Rank 0 writes the state, which all make together."""
        made = state()
        if self._checkpoints is not None:
            self._checkpoints.save(lambda: made)

    def load(self) -> dict[str, Any] | None:
        """The newest state that rank 0 can use."""
        state = [None if self._checkpoints is None else self._checkpoints.load()]
        dist.broadcast_object_list(state, 0, device=torch.device("cpu"))
        return state[0]

    def finish(self, state: Callable[[], Mapping[str, Any]]) -> None:
        """Rank 0 leaves the state that the training ended with, and no other."""
        made = state()
        if self._checkpoints is not None:
            self._checkpoints.finish(lambda: made)
