"""What are the loss and the gradients of one batch?"""

from __future__ import annotations

from torch import Tensor, nn

from wd_train.measuring import mean_loss
from wd_train.rows import Rows, Tensors
from wdgate.evaluation.tasks import Task


class BatchGradients:
    """Finds the gradients of one batch after another.

    Args:
        net: behind the preprocessing.
        rows: the targets and weights of all rows.
        task: what is predicted.
    """

    def __init__(self, net: nn.Module, rows: Rows, task: Task) -> None:
        self._net, self._rows, self._task = net, rows, task

    def of(self, inputs: Tensors, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Leave the gradients of the mean loss of the rows `indices` (B,) in the parameters.

        Returns:
            The mean loss, and the outputs (B, C).
        """
        outputs = self._net(inputs)
        loss = mean_loss(self._task, outputs, self._rows, indices)
        self._net.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach(), outputs.detach()
