"""How do many small networks train as one?

Parameters of M networks of one architecture are stacked to (M, ...), and one optimizer step serves all of
them: the optimizers work on each number alone, so a stack is like any tensor.
"""

from __future__ import annotations

import copy
import itertools
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from data_checks.splits import Split
from wd_train.configuration import Training
from wd_train.decay import Decay, WeightDecay
from wd_train.forms import spread
from wd_train.measuring import mean_loss
from wd_train.network import CPU, AsFloat, BuildModel, BuildPreprocess, build_network, check_network, seeded
from wd_train.optimizers import make_optimizer
from wd_train.provenance import check_decayable, tensor_decays
from wd_train.rows import Rows, Tensors, map_tensors
from wd_train.sampling import batches
from wd_train.stacked_networks import Gradients, Stack, is_chain
from wdgate.evaluation.tasks import Task

SMALL_STEP = 3e7
"""Floating-point operations of a member's step above which a stack is no faster than one by one."""

SMALL_STEP_OF_CHAIN = 3e8
"""The same of a plain chain of matrices, whose stacks copy nothing; what is larger takes all cores alone."""

AT_ONCE = 2**14
"""Rows times members that are predicted together: more do not stay in the cache."""


@dataclass(frozen=True)
class Course:
    """How the training of one member of a stack went.

    Args:
        losses: (epoch, mean validation loss, seconds of the member's share) at each measured epoch.
        best_epoch: the epoch whose weights were kept.
        diverged: how it was noticed that its numbers are not finite; None where they are.
    """

    losses: tuple[tuple[int, float, float], ...]
    best_epoch: int
    diverged: str | None


def fit_stacked(
    nets: Sequence[nn.Module],
    rows: Rows,
    validation: Rows,
    task: Task,
    members: Sequence[Training],
    *,
    on_epoch: Callable[[int], None] | None = None,
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

    Raises:
        TrainingError: a decay that has nothing to act on, or that would overshoot.
    """
    shared, seeds = members[0], _streams(members)
    stack = Stack(nets, len(seeds), task)
    steps = _Steps(stack.parameters, nets[0], members, len(rows))
    courses, tell = _Courses(stack.parameters, shared.patience, len(members)), on_epoch or (lambda _: None)
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    for epoch in range(1, shared.epochs + 1):
        streams = zip(*(batches(len(rows), shared, generator) for generator in generators), strict=True)
        losses = [steps.take(*stack.batch(*_batch(rows, indices, stack.lanes))) for indices in streams]
        courses.note_steps(torch.stack(losses))
        if shared.measured(epoch):
            courses.note_epoch(epoch, _validation_losses(stack, validation))
        tell(epoch)
        if courses.are_over:
            break
    _unstack(courses.kept, nets)
    return courses.of_members()


class _Steps:
    """The optimizer and the decay of a stack of parameters.

    Where the learning rates differ, the optimizer steps at a rate of 1 from 0, and each member follows at its
    own rate: the updates of SGD and Adam are proportional to it.
    """

    def __init__(
        self, parameters: dict[str, Tensor], net: nn.Module, members: Sequence[Training], rows: int
    ) -> None:
        rates = torch.tensor([member.rates(rows) for member in members], dtype=torch.float64)
        full = torch.tensor([member.learning_rate for member in members], dtype=torch.float64)
        self._one_rate = bool((full == full[0]).all())
        self._rates = rates[0].tolist() if self._one_rate else list(rates.T.unbind())
        self._parameters = list(parameters.values())
        self._moved = self._parameters if self._one_rate else [torch.zeros_like(p) for p in self._parameters]
        self._optimizer = _optimizer(members[0], self._moved)
        chosen = {t.name: t for t in tensor_decays(net, _decay_of(members)) if t.decayed}
        check_decayable(tensor_decays(net, _decay_of(members)), max(m.weight_decay for m in members))
        self._decay = WeightDecay(
            {name: parameters[name] for name in chosen},
            torch.tensor([member.weight_decay for member in members], dtype=torch.float64),
            _decay_of(members),
            full_rate=members[0].learning_rate if self._one_rate else full,
            steps=rates.shape[1],
            normalized=[name for name, tensor in chosen.items() if tensor.normalized],
        )
        self._step = 0

    def take(self, losses: Tensor, gradients: Gradients) -> Tensor:
        """Follow the gradients by one step, and give the losses (M,) back in memory of their own."""
        rate = self._rates[self._step]
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient
        self._decay.before_step(rate)
        for group in self._optimizer.param_groups:
            group["lr"] = rate if self._one_rate else 1.0
        if self._one_rate:
            self._optimizer.step()
        else:
            self._follow(rate)
        self._decay.after_step(rate)
        self._step += 1
        return losses.clone()

    @torch.no_grad()
    def _follow(self, rates: Tensor) -> None:
        for parameter, moved in zip(self._parameters, self._moved, strict=True):
            moved.grad = parameter.grad
        self._optimizer.step()
        for parameter, moved in zip(self._parameters, self._moved, strict=True):
            parameter.add_(moved * spread(rates, parameter))
            moved.zero_()


class _Adam:
    """Adam by the kernel of `torch.optim.Adam(fused=True)`, whose bookkeeping takes as long again."""

    def __init__(self, parameters: list[Tensor], betas: tuple[float, float]) -> None:
        self.param_groups: list[dict[str, Any]] = [{}]
        self._parameters, self._betas = parameters, betas
        self._first = [torch.zeros_like(parameter) for parameter in parameters]
        self._second = [torch.zeros_like(parameter) for parameter in parameters]
        self._taken = torch.zeros(())

    @torch.no_grad()
    def step(self) -> None:
        """Take a step along the gradients of those parameters that have one."""
        self._taken += 1
        every = zip(self._parameters, self._first, self._second, strict=True)
        found = [(p, p.grad, first, second) for p, first, second in every if p.grad is not None]
        parameters, gradients, firsts, seconds = (list(column) for column in zip(*found, strict=True))
        torch._fused_adam_(
            parameters,
            gradients,
            firsts,
            seconds,
            [],
            [self._taken] * len(found),
            lr=self.param_groups[0]["lr"],
            beta1=self._betas[0],
            beta2=self._betas[1],
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )


def _optimizer(training: Training, parameters: list[Tensor]) -> _Adam | torch.optim.Optimizer:
    if training.optimizer == "sgd":
        return make_optimizer(training, parameters)  # type: ignore[arg-type]  # plain leaves, too
    return _Adam(parameters, training.betas)


class _Courses:
    """What becomes of each member: its losses, the weights that are kept, and whether it diverged."""

    def __init__(self, parameters: dict[str, Tensor], patience: int | None, members: int) -> None:
        self._parameters, self._patience = parameters, patience
        self.kept = {name: p.clone() for name, p in parameters.items()} if patience else parameters
        self._started = time.perf_counter()
        self._steps = 0
        self._losses: list[list[tuple[int, float, float]]] = [[] for _ in range(members)]
        self._diverged: dict[int, str] = {}
        self._best = torch.full((members,), math.inf, dtype=torch.float64)
        self._epochs = torch.zeros(members, dtype=torch.long)
        self._live = torch.ones(members, dtype=torch.bool)

    def note_steps(self, losses: Tensor) -> None:
        """Note the losses (steps, M) of an epoch's batches, each before its own step."""
        for member in torch.nonzero(~losses.isfinite().all(dim=0) & self._live).flatten().tolist():
            first = int(torch.nonzero(~losses[:, member].isfinite())[0])
            loss, step = float(losses[first, member]), self._steps + first + 1
            self._end(member, f"its loss was {loss} at step {step}, not a finite number")
        self._steps += len(losses)

    def note_epoch(self, epoch: int, losses: Tensor) -> None:
        """Note the mean validation losses (M,) after an epoch, and keep the best weights so far."""
        seconds = (time.perf_counter() - self._started) / len(losses)
        for member in torch.nonzero(self._live).flatten().tolist():
            loss = float(losses[member])
            if math.isfinite(loss):
                self._losses[member].append((epoch, loss, seconds))
            else:
                self._end(member, f"the loss of the rows that it is measured on is {loss}")
        if self._patience is None:
            self._epochs[self._live] = epoch
        else:
            self._keep_better(epoch, losses)
            self._live &= epoch - self._epochs < self._patience

    @property
    def are_over(self) -> bool:
        """Whether every member has diverged, or has lost its patience."""
        return not bool(self._live.any())

    def of_members(self) -> list[Course]:
        """The course of each member."""
        return [
            Course(tuple(losses), int(self._epochs[member]), self._diverged.get(member))
            for member, losses in enumerate(self._losses)
        ]

    def _keep_better(self, epoch: int, losses: Tensor) -> None:
        better = (losses < self._best) & self._live
        self._best[better], self._epochs[better] = losses[better], epoch
        for name, values in self._parameters.items():
            self.kept[name][better] = values[better]

    def _end(self, member: int, how: str) -> None:
        self._live[member] = False
        self._diverged[member] = f"the training diverged: {how}"


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
        and training.class_weights is training.clip_norm is training.average is None
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


def _decay_of(members: Sequence[Training]) -> Decay:
    """How decay acts on those that have any; a member without decay fits every form."""
    return next((member.decay for member in members if member.weight_decay > 0), members[0].decay)


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
