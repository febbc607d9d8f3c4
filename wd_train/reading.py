"""Which row is to blame where a reader of the user's fails, or gives something else than it was asked for?"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import DataError
from data_checks.splits import Array, Inputs, read_inputs

Form = dict[str, tuple[tuple[int, ...], str]]
"""Shape and type of one row, by the name of its column; an array that is no column has no name."""


class Reading:
    """Rows of a split, read batch by batch and found to be alike.

    Args:
        inputs: of the split.
        ids: what a person calls each row (N,).

    Attributes:
        form: of the rows, as the first batch had it.
    """

    def __init__(self, inputs: Inputs, ids: Array) -> None:
        self.inputs, self._ids = inputs, ids
        self.form: Form | None = None

    def read(self, indices: NDArray[np.intp]) -> Array | dict[str, Array]:
        """The rows `indices` (n,), in memory.

        Raises:
            DataError: a reader that raises, or whose rows are not n or not of the form of those before them;
                the row is named.
        """
        try:
            return self._checked(indices)
        except MemoryError:
            raise
        except Exception as error:
            # Nothing that a user's reader raises is known beforehand.
            raise self._blamed(indices, error) from error

    def _checked(self, indices: NDArray[np.intp]) -> Array | dict[str, Array]:
        rows = read_inputs(self.inputs, indices)
        form = _form_of(rows, len(indices))
        if self.form is None:
            self.form = form
        if form != self.form:
            raise DataError(f"it is {_told(form)}, but the rows before it are {_told(self.form)}")
        return rows

    def _blamed(self, indices: NDArray[np.intp], error: Exception) -> DataError:
        """The error of the first row that fails by itself, or of all if none does."""
        for index in indices.tolist():
            try:
                self._checked(np.array([index], np.intp))
            except MemoryError:
                raise
            except Exception as own:  # noqa: BLE001 - as above
                return DataError(f"{self._named(index)} cannot be used: {_reason(own)}")
        among = f"{len(indices)} rows, of which the first is {self._named(int(indices[0]))},"
        return DataError(f"{among} cannot be read together, though each can alone: {_reason(error)}")

    def _named(self, index: int) -> str:
        given = self._ids[index : index + 1].tolist()[0]
        return f"row {index}" if given == index else f"row {index} (id {given!r})"


def _form_of(rows: Any, count: int) -> Form:
    columns = rows if isinstance(rows, dict) else {"": rows}
    for values in columns.values():
        if not isinstance(values, np.ndarray):
            raise DataError(f"the reader gave {type(values).__name__}, but a numpy array was expected")
        if values.ndim == 0 or len(values) != count:
            raise DataError(
                f"the reader gave an array of shape {values.shape}, but {count} rows were asked for"
            )
    return {name: (values.shape[1:], str(values.dtype)) for name, values in columns.items()}


def _told(form: Form) -> str:
    return ", ".join(f"{name} {kind} {shape}".strip() for name, (shape, kind) in form.items())


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    message = lines[0] if lines else ""
    if isinstance(error, DataError):
        return message
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}, line {frames[-1].lineno}"
    return f"{type(error).__name__}: {message} ({place})" if message else f"{type(error).__name__} ({place})"
