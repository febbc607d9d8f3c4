"""How do many small networks train as one?

Parameters of M networks of one architecture are stacked to (M, ...), and one optimizer step serves all of
them: the optimizers work on each number alone, so a stack is like any tensor.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data_checks.splits import Split
from wd_train.checkpoints import Checkpoints
from wd_train.configuration import Training
from wd_train.courses import Course, Courses
from wd_train.measuring import mean_loss
from wd_train.network import CPU, AsFloat, BuildModel, BuildPreprocess, build_network, check_network, seeded
from wd_train.rows import Rows, Tensors, map_tensors
from wd_train.sampling import batches
from wd_train.stacked_networks import Stack, is_chain
from wd_train.stacked_steps import Steps
from wd_train.stopping import asked, stop
from wdgate.evaluation.tasks import Task

SMALL_STEP = 3e7
"""Floating-point operations of a member's step above which a stack is no faster than one by one."""

SMALL_STEP_OF_CHAIN = 3e8
"""The same of a plain chain of matrices, whose stacks copy nothing; what is larger takes all cores alone."""

AT_ONCE = 2**14
"""Rows times members that are predicted together: more do not stay in the cache."""


def fit_stacked(
    nets: Sequence[nn.Module],
    rows: Rows,
    validation: Rows,
    task: Task,
    members: Sequence[Training],
    *,
    on_epoch: Callable[[int], None] | None = None,
    checkpoints: Checkpoints | None = None,
) -> list[Course]:
    """Train M networks of one architecture on preprocessed rows, in place, as one stack of parameters.

    Args:
        nets: with their initial weights.
        rows: to fit on.
        validation: to measure on.
        task: what is predicted.
        members: how each is trained; they differ in seed, rate and coefficient of decay alone, or have no
            decay. Those that stand together and share their seed share its batches.
        on_epoch: told of every epoch that is done, from 1.
        checkpoints: where the stack goes on from if it was stopped, and what it leaves for that.

    Raises:
        TrainingError: a decay that has nothing to act on, or that would overshoot.
    """
    shared, seeds = members[0], _streams(members)
    stack = Stack(nets, len(seeds), task)
    steps = Steps(stack.parameters, nets[0], members, len(rows))
    courses, tell = Courses(stack.parameters, shared.patience, len(members)), on_epoch or (lambda _: None)
    under_way = _UnderWay(stack.parameters, steps, courses, seeds)
    under_way.resume(checkpoints)
    while under_way.epoch < shared.epochs and not courses.are_over:
        epoch, generators = under_way.epoch + 1, under_way.generators
        streams = zip(*(batches(len(rows), shared, generator) for generator in generators), strict=True)
        losses = [steps.take(*stack.batch(*_batch(rows, indices, stack.lanes))) for indices in streams]
        courses.note_steps(torch.stack(losses))
        if shared.measured(epoch):
            courses.note_epoch(epoch, _validation_losses(stack, validation))
        under_way.epoch = epoch
        tell(epoch)
        under_way.pause(checkpoints)
    if checkpoints is not None:
        checkpoints.finish(under_way.state_dict)
    _unstack(courses.kept, nets)
    return courses.of_members()


class _UnderWay:
    """All that changes of a stack while it trains, from epoch to epoch."""

    def __init__(
        self, parameters: dict[str, Tensor], steps: Steps, courses: Courses, seeds: Sequence[int]
    ) -> None:
        self._parameters, self._steps, self._courses = parameters, steps, courses
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.epoch = 0

    def pause(self, checkpoints: Checkpoints | None) -> None:
        """Leave a checkpoint where one is due, or where the training is asked to stop."""
        if checkpoints is not None and (asked() or checkpoints.due()):
            checkpoints.save(self.state_dict)
        if asked():
            stop()

    def resume(self, checkpoints: Checkpoints | None) -> None:
        """Go on from the newest checkpoint, if there is one."""
        state = None if checkpoints is None else checkpoints.load()
        if state is not None:
            self.load_state_dict(state)

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to go on after this epoch."""
        return {
            "epoch": self.epoch,
            "parameters": self._parameters,
            "generators": [generator.get_state() for generator in self.generators],
            "steps": self._steps.state_dict(),
            "courses": self._courses.state_dict(),
        }

    @torch.no_grad()
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there; the parameters stay where they lie, for that is where they are read."""
        self.epoch = state["epoch"]
        for name, parameter in self._parameters.items():
            parameter.copy_(state["parameters"][name])
        for generator, kept in zip(self.generators, state["generators"], strict=True):
            generator.set_state(kept)
        self._steps.load_state_dict(state["steps"])
        self._courses.load_state_dict(state["courses"])


def stacks(
    build_model: BuildModel,
    build_preprocess: BuildPreprocess | None,
    train: Split,
    task: Task,
    training: Training,
) -> bool:
    """Whether a network trains in a fleet as it would alone, and gains by it.

    It must be small, and its rows must lie in memory; it must have no filters, which are slow in a stack on
    the CPU; its preprocessing must be the same for every seed; and a forward pass must neither draw random
    numbers nor change a buffer. A step of a stack of two is compared with the gradients of one. Options that
    a stack does not follow are trained one by one.
    """
    if not _follows(training):
        return False
    drew: list[bool] = []

    def watched(split: Split) -> nn.Module:
        before = torch.get_rng_state()
        preprocess = AsFloat() if build_preprocess is None else build_preprocess(split)
        drew.append(not torch.equal(before, torch.get_rng_state()))
        return preprocess

    network = build_network(build_model, watched, train, training.seed)
    operations = check_network(network, train, task) * 3 * len(train) / training.batches(len(train))
    if operations > (SMALL_STEP_OF_CHAIN if is_chain(network.net) else SMALL_STEP):
        return False
    if any(isinstance(module, nn.modules.conv._ConvNd) for module in network.modules()):
        return False
    if any(drew) or not isinstance(train.inputs, np.ndarray | dict):
        return False
    few = Rows(train.take(np.arange(min(4, len(train)))), network.preprocess, CPU)
    return _is_pure(network.net, few, task) and _is_stacked_right(network.net, few, task)


def _follows(training: Training) -> bool:
    """Whether a stack steps as all options of a training say."""
    return (
        training.optimizer != "muon"
        and training.sampler == "shuffle"
        and training.precision != "bfloat16"
        and not training.label_smoothing
        and (training.class_weights, training.clip_norm, training.average) == (None, None, None)
    )


def _is_pure(net: nn.Module, rows: Rows, task: Task) -> bool:
    if _is_listened_to(net):
        return False
    net = copy.deepcopy(net).train()
    before = _state_of(net, task)
    indices = torch.arange(len(rows))
    with seeded(0), torch.no_grad():
        state = torch.get_rng_state()
        mean_loss(task, net(rows.inputs(indices)), rows, indices)
        drew = not torch.equal(state, torch.get_rng_state())
    return not drew and _state_of(net, task) == before


def _is_listened_to(net: nn.Module) -> bool:
    """Whether gradients are changed on their way: a stack does not follow hooks on parameters."""
    parts = [*net.parameters(), *net.modules()]
    hooks = ("_backward_hooks", "_backward_pre_hooks", "_post_accumulate_grad_hooks")
    return any(getattr(part, name, None) for part in parts for name in hooks)


def _state_of(net: nn.Module, task: Task) -> list[str]:
    """What a forward pass may change and a trace does not see: buffers, and values that Python holds."""
    held = [dict(net.named_buffers()), *(vars(module) for module in net.modules())]
    held += [getattr(task, "__dict__", {})]
    return [
        f"{name}={value.tolist() if isinstance(value, Tensor) else value!r}"
        for values in held
        for name, value in values.items()
        # What torch itself keeps of a module is its parameters and buffers, and their own states.
        if not name.startswith("_")
    ]


def _is_stacked_right(net: nn.Module, rows: Rows, task: Task) -> bool:
    """Whether a stack of two gives the losses and gradients of one, for rows that it was not traced with."""
    first, other = torch.arange(len(rows)), torch.arange(len(rows)).flip(0)
    net = copy.deepcopy(net).train()
    try:
        stack = Stack([net, copy.deepcopy(net)], 1, task)
        stack.batch(*_batch(rows, (first,), stack.lanes))
        losses, gradients = stack.batch(*_batch(rows, (other,), stack.lanes))
    except (RuntimeError, TypeError, ValueError, LookupError, AttributeError):
        # What cannot be vectorized or traced, such as a branch on a value, is told by one of these.
        return False
    loss = mean_loss(task, net(rows.inputs(other)), rows, other)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    expected = torch.autograd.grad(loss, trained, allow_unused=True)
    return _is_near(losses[1], loss) and all(
        map(_is_near, (g if g is None else g[1] for g in gradients), expected)
    )


def _is_near(ours: Tensor | None, theirs: Tensor | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return bool((ours - theirs).abs().max() <= 1e-3 * theirs.abs().max() + 1e-9)


def _streams(members: Sequence[Training]) -> list[int]:
    """The seeds whose batches are drawn: one for as many members each, in their order.

    Example:
        >>> _streams([Training(weight_decay=wd, seed=seed) for seed in (3, 4) for wd in (0.0, 0.1)])
        [3, 4]
    """
    if members[0].batch_size is None:
        return [members[0].seed]  # all of them see all rows
    runs = [(seed, len(list(run))) for seed, run in itertools.groupby(member.seed for member in members)]
    even = len({length for _, length in runs}) == 1
    return [seed for seed, _ in runs] if even else [member.seed for member in members]


def _batch(rows: Rows, indices: Sequence[Tensor], lanes: int) -> tuple[Tensors, Tensor, Tensor | None]:
    """Inputs (S, B, ...), targets (S, B) and weights (S, B) of a batch a seed, filled up to whole lanes."""
    size = len(indices[0])
    full = -(-size // lanes) * lanes
    every = torch.cat([part for seed in indices for part in (seed, seed[:1].expand(full - size))])
    shape = (len(indices), full)
    inputs = map_tensors(lambda t: t.view(*shape, *t.shape[1:]), rows.inputs(every))
    targets = rows.targets.index_select(0, every)
    weights = None if rows.weights is None else rows.weights.index_select(0, every).view(shape)
    if lanes > 1:
        weights = torch.ones(shape) if weights is None else weights
        weights[:, size:] = 0.0
    return inputs, targets.view(*shape, *targets.shape[1:]), weights


def _validation_losses(stack: Stack, rows: Rows) -> Tensor:
    """The mean loss (M,) of every member, in double precision."""
    members = len(next(iter(stack.parameters.values())))
    at_once = max(1, AT_ONCE // members)
    parts = zip(rows.in_order(at_once), rows.targets.split(at_once), strict=True)  # type: ignore[no-untyped-call]
    losses = torch.cat([stack.losses(*part) for part in parts], dim=1)  # (M, N)
    if rows.weights is None:
        return losses.mean(dim=1).double()
    return ((losses * rows.weights).sum(dim=1) / rows.weights.sum()).double()


@torch.no_grad()
def _unstack(parameters: dict[str, Tensor], nets: Sequence[nn.Module]) -> None:
    for member, net in enumerate(nets):
        for name, parameter in net.named_parameters():
            if name in parameters:
                parameter.copy_(parameters[name][member])
