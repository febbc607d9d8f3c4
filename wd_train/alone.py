"""What does one training by itself leave for comparison?"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from data_checks.errors import TrainingDivergedError
from data_checks.splits import Split
from wd_train.checkpoints import Checkpoints
from wd_train.configuration import Training
from wd_train.loop import Epoch
from wd_train.network import BuildModel, BuildPreprocess, build_network
from wd_train.outcomes import Diverged, Outcome, outcome_of
from wd_train.provenance import norm, tensor_decays
from wd_train.rows import Augment
from wd_train.training import train as train_network
from wdgate.evaluation.tasks import Task


def train_alone(
    build_model: BuildModel,
    build_preprocess: BuildPreprocess | None,
    train: Split,
    validation: Split,
    task: Task,
    training: Training,
    *,
    augment: Augment | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    checkpoints: Checkpoints | None = None,
) -> Outcome | Diverged:
    """Train as `wd_train.training.train` does, and keep what the network does on the validation rows."""
    losses: list[tuple[int, float, float]] = []

    def note(epoch: Epoch) -> None:
        losses.append((epoch.epoch, epoch.validation_loss, epoch.seconds))
        if on_epoch is not None:
            on_epoch(epoch)

    parts = (build_model, build_preprocess, train, validation, task)
    try:
        model = train_network(*parts, training, augment=augment, on_epoch=note, checkpoints=checkpoints)
    except TrainingDivergedError as error:
        return Diverged(_reason(error))
    network = model.network
    outcome = outcome_of(
        network.net,
        network.preprocess,
        validation,
        task,
        losses=tuple(losses),
        best_epoch=model.best_epoch,
        seconds=model.seconds,
        norm_ratio=norm_ratio(
            network.net, build_network(build_model, build_preprocess, train, training.seed).net, training
        ),
    )
    return Diverged("its outputs are not finite numbers") if outcome is None else outcome


def _reason(error: TrainingDivergedError) -> str:
    """How it diverged, without the step of the last checkpoint: that one hangs on the clock."""
    first = error.__context__
    return str(first if isinstance(first, TrainingDivergedError) else error)


def norm_ratio(net: nn.Module, first: nn.Module, training: Training) -> float:
    """The norm of the decayed tensors over what it was in the network that it began as; NaN where none is."""
    names = [tensor.name for tensor in tensor_decays(first, training.decay) if tensor.decayed]
    before, after = (
        norm(parameter for name, parameter in module.named_parameters() if name in names)
        for module in (first, net)
    )
    return after / before if before > 0 else float("nan")
