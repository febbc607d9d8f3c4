"""What are the loss and the gradients of one batch, also where it does not fit into memory at once?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from data_checks.errors import TrainingError
from wd_train.losses import TrainLoss
from wd_train.parallel import apart
from wd_train.precision import Precise
from wd_train.rows import Tensors, map_tensors

OUT_OF_MEMORY = ("out of memory", "not enough memory", "can't allocate memory")


class BatchGradients:
    """Finds the gradients of one batch after another.

    A batch that does not fit into memory is halved until it does, and its gradients are added up: the mean
    is the same, up to rounding. Only a batch norm sees less at a time.

    Args:
        net: behind the preprocessing.
        loss: of the train rows.
        precise: the numbers that the forward pass is computed with.
        tell: told, in a sentence, that a batch is halved.
        clip_norm: the norm that the gradients of all parameters together are shortened to (Pascanu et al.
            2013); None leaves them. What a decay adds to them comes later, and is not shortened.

    Attributes:
        pieces: in how many a batch is taken.
    """

    def __init__(
        self,
        net: nn.Module,
        loss: TrainLoss,
        precise: Precise | None = None,
        tell: Callable[[str], None] = lambda sentence: None,
        clip_norm: float | None = None,
    ) -> None:
        self._net, self._loss, self._clip_norm = net, loss, clip_norm
        self._precise, self._tell = precise or Precise(torch.device("cpu")), tell
        self._processes, self.pieces = 1, 1
        self._parameters = list(net.parameters())  # walking through a small network takes as long as a layer

    def spread(self, net: nn.Module, processes: int, pieces: int) -> None:
        """From now on call this network, which takes the mean of the gradients over so many processes."""
        self._net, self._processes, self.pieces = net, processes, pieces

    def of(self, inputs: Tensors, indices: Tensor, batch: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Leave the gradients of the mean loss of a batch in the parameters.

        Args:
            inputs: of the rows that this process has of the batch; of any one where it has none.
            indices: of these rows (n,).
            batch: all rows of the batch (B,); the same where nothing is given.

        Returns:
            The share of these rows in the mean loss, and their outputs (n, C).

        Raises:
            TrainingError: a single row does not fit into memory, or what one of several processes has.
        """
        while True:
            try:
                found = self._in_pieces(inputs, indices, indices if batch is None else batch)
                if self._clip_norm is not None:
                    nn.utils.clip_grad_norm_(self._net.parameters(), self._clip_norm)
                return found
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
            # Not within the `except`, where the error holds on to what is to be freed.
            self._halve(len(indices))

    def state_dict(self) -> dict[str, Any]:
        """What must be kept to go on with the same sums."""
        return {"pieces": self.pieces}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from there."""
        self.pieces = state["pieces"]

    def _in_pieces(self, inputs: Tensors, indices: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
        self._forget()
        if min(self.pieces, len(indices)) <= 1:
            return self._backward(inputs, indices, batch)
        *first, (last_inputs, last) = _split(inputs, indices, self.pieces)
        # Sums over processes are taken once, of all pieces.
        with apart(self._net):
            found = [self._backward(read, at, batch) for read, at in first]
        losses, outputs = zip(*found, self._backward(last_inputs, last, batch), strict=True)
        return torch.stack(losses).sum(), torch.cat(outputs)

    def _backward(self, inputs: Tensors, indices: Tensor, batch: Tensor) -> tuple[Tensor, Tensor]:
        """Add the gradients of these rows' share in the batch's mean loss to those of the parameters."""
        with self._precise.autocast():
            outputs = self._net(inputs)
        outputs = self._precise.full(outputs)
        if len(outputs) > len(indices):
            outputs = outputs[: len(indices)]
        loss = self._loss.of(outputs, indices, batch)
        # The mean over the processes of so many times their shares is the sum of the shares.
        times = None if self._processes == 1 else torch.full_like(loss, self._processes)
        loss.backward(times)  # type: ignore[no-untyped-call]
        return loss.detach(), outputs.detach()

    def _forget(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    def _halve(self, rows: int) -> None:
        if self._processes > 1:
            raise TrainingError(
                f"{rows:,} rows do not fit into the memory of a process: expected a smaller batch_size, "
                "or more processes"
            )
        self._forget()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if self.pieces >= rows:
            raise TrainingError("a single row of a batch does not fit into the memory of the device")
        self.pieces *= 2
        self._tell(f"a batch of {rows:,} rows does not fit into memory: it is taken in {self.pieces} pieces")


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device has no memory left; on the CPU torch has no class for that."""
    return isinstance(error, torch.OutOfMemoryError) or any(
        words in str(error).lower() for words in OUT_OF_MEMORY
    )


def _split(inputs: Tensors, indices: Tensor, pieces: int) -> Iterator[tuple[Tensors, Tensor]]:
    """A batch in pieces of nearly one size."""
    start = 0
    for at in indices.tensor_split(min(pieces, len(indices))):
        stop = start + len(at)
        yield map_tensors(partial(_between, start, stop), inputs), at
        start = stop


def _between(start: int, stop: int, tensor: Tensor) -> Tensor:
    return tensor[start:stop]
