"""What is minimized: the loss of a batch of train rows?

Validation and gates score as the task says. What stands here weighs and smooths the train rows alone.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from data_checks.errors import TrainingError
from wd_train.configuration import Training
from wd_train.rows import Rows
from wdgate.evaluation.tasks import Classification, Task


class TrainLoss:
    """The mean loss of batches of train rows, sum(w l) / sum(w) over the batch.

    w is a row's own weight, unless the sampler drew by it, times the weight of its class. l is the task's
    loss, smoothed as torch's `cross_entropy` does. With both, torch spreads a smoothed target by the weights
    of the classes; here it's spread evenly, and a class weight is a weight of rows and nothing else.

    Args:
        task: what is predicted.
        rows: the targets and weights of all rows.
        training: says how they are weighed and smoothed.

    Raises:
        TrainingError: smoothing or class weights for a task without classes, or not one weight a class.
    """

    def __init__(self, task: Task, rows: Rows, training: Training) -> None:
        if training.label_smoothing:
            classes_of(task, "label_smoothing")
        self._task, self._targets, self._smoothing = task, rows.targets, training.label_smoothing
        self.weights = loss_weights(task, rows, training)

    def of(self, outputs: Tensor, indices: Tensor, batch: Tensor | None = None) -> Tensor:
        """The mean loss of the rows `indices` (n,) with outputs (n, C).

        Args:
            outputs: of the rows.
            indices: of the rows, none of them where n is 0.
            batch: all rows (B,) of the batch of which these are a part: then it is the part's share in the
                mean over the batch, and the shares of all parts sum to that mean.
        """
        whole = batch is None or len(batch) == len(indices)
        if whole and self.weights is None and type(self._task) is Classification:
            return self._cross_entropy(outputs, indices, "mean")
        losses, weights = self._losses(outputs, indices), self._weights_of(indices)
        of_batch = weights if batch is None or whole else self._weights_of(batch)
        if weights is None or of_batch is None:
            return losses.sum() / len(indices if batch is None else batch)
        # Of a batch whose rows all count for nothing nothing is learned.
        return (losses * weights).sum() / of_batch.sum().clamp_min(torch.finfo(of_batch.dtype).tiny)

    def _losses(self, outputs: Tensor, indices: Tensor) -> Tensor:
        if type(self._task) is Classification:
            return self._cross_entropy(outputs, indices, "none")
        losses: Tensor = self._task.loss(outputs, self._targets[indices.to(self._targets.device)])
        return torch.lerp(losses, uniform_loss(outputs), self._smoothing) if self._smoothing else losses

    def _cross_entropy(self, outputs: Tensor, indices: Tensor, reduction: str) -> Tensor:
        """The loss of a `Classification`, whose own formula needs no torch and a third of a small step."""
        targets = self._targets[indices.to(self._targets.device)]
        return nn.functional.cross_entropy(
            outputs, targets, reduction=reduction, label_smoothing=self._smoothing
        )

    def _weights_of(self, indices: Tensor) -> Tensor | None:
        return None if self.weights is None else self.weights[indices.to(self.weights.device)]


def loss_weights(task: Task, rows: Rows, training: Training) -> Tensor | None:
    """How much each row (N,) counts in the train loss; None where all count the same."""
    own = None if training.sampler == "weighted" else rows.weights
    if own is not None and bool((own < 0).any()):
        raise TrainingError(f"weights of train rows must be at least 0, got {float(own.min()):g}")
    if training.class_weights is None:
        return own
    of_classes = _class_weights(training.class_weights, task, rows)[rows.targets]
    return of_classes if own is None else own * of_classes


def uniform_loss(outputs: Tensor) -> Tensor:
    """The cross-entropy (N,) of logits (N, C) with a target that is spread over all classes.

    Example:
        >>> uniform_loss(torch.zeros(1, 2)).exp()
        tensor([2.])
    """
    return outputs.logsumexp(dim=1) - outputs.mean(dim=1)


def classes_of(task: Task, what: str) -> int:
    """How many classes a task has.

    Raises:
        TrainingError: it has none, with what needs them.
    """
    if not isinstance(task, Classification):
        raise TrainingError(f"{what} needs classes, but the task is {type(task).__name__}")
    return len(task.classes)


def _class_weights(asked: str | tuple[float, ...], task: Task, rows: Rows) -> Tensor:
    classes, device = classes_of(task, "class_weights"), rows.targets.device
    if isinstance(asked, str):
        counts = torch.bincount(rows.targets, weights=rows.weights, minlength=classes)
        balanced = (counts.sum() / (classes * counts)).float()
        # Of a class without rows, or whose rows all count for nothing, it would be infinite.
        return balanced.masked_fill(counts == 0, 0.0)
    if len(asked) != classes:
        raise TrainingError(f"class_weights has {len(asked)} numbers, but the task has {classes} classes")
    return torch.tensor(asked, dtype=torch.float32, device=device)
