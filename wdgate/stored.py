"""What did a promoted file predict on the rows that it was judged on, so that it need not be run again?

Only of data that are declared public: of others no prediction leaves the worker, and the verified bytes are
run.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.splits import Split, Splits
from wdgate import __version__
from wdgate.evaluation.evaluation import Evaluation, evaluation_of
from wdgate.evaluation.out_of_distribution import Permuted
from wdgate.evaluation.tasks import Task

LARGEST = 64 * 2**20  # bytes

Arrays = list[NDArray[Any]]


def named(evaluation: Evaluation, splits: Splits) -> dict[str, Any]:
    """What predictions are of: they are of use for the same rows, and to the same program, alone."""
    also = {name: splits.also[name].fingerprint for name in sorted(evaluation.also)}
    return {"rows": evaluation.fingerprint, "also": also, "wdgate": __version__}


def packed(evaluation: Evaluation, splits: Splits) -> bytes | None:
    """The predictions as a compressed npz file without pickles; None where they may not be stored."""
    if not splits.public:
        return None
    arrays: Arrays = []
    index = json.dumps(_index(evaluation, arrays)).encode()
    if any(array.dtype.hasobject for array in arrays):
        return None
    file = io.BytesIO()
    columns: dict[str, Any] = {str(number): array for number, array in enumerate(arrays)}
    np.savez_compressed(file, index=np.frombuffer(index, np.uint8), **columns)
    return file.getvalue() if file.tell() <= LARGEST else None


def unpacked(
    content: bytes,
    onnx_sha256: str,
    rows: Split,
    also: Mapping[str, Split],
    task: Task,
    reference: Split,
) -> Evaluation:
    """The evaluation that follows from what `packed` gave, on the same rows.

    Args:
        content: the file; its hash was compared before.
        onnx_sha256: of the file that predicted.
        rows: those that it was judged on.
        also: the further test sets.
        task: what is predicted, and how it is scored.
        reference: the train rows, as `evaluate` takes them.
    """
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        index = json.loads(file["index"].tobytes())
        arrays = [file[str(number)] for number in range(len(file.files) - 1)]

    def made(part: Mapping[str, Any], split: Split, further: Mapping[str, Evaluation]) -> Evaluation:
        return evaluation_of(
            onnx_sha256,
            {name: arrays[number] for name, number in part["predictions"].items()},
            split,
            task,
            reference=reference,
            worse={name: arrays[number] for name, number in part["worse"].items()},
            robustness={name: tuple(values) for name, values in part["robustness"].items()},
            corrupted_rows=None if part["corrupted_rows"] is None else arrays[part["corrupted_rows"]],
            also=further,
            permuted=part["permuted"] and Permuted(*(arrays[number] for number in part["permuted"])),
        )

    return made(index, rows, {name: made(part, also[name], {}) for name, part in index["also"].items()})


def _index(evaluation: Evaluation, arrays: Arrays) -> dict[str, Any]:
    """Which array is what; they are put at the end of `arrays`."""

    def put(array: NDArray[Any]) -> int:
        arrays.append(np.asarray(array))
        return len(arrays) - 1

    worse = {name: v for name, v in evaluation.scores.items() if name.startswith("corrupted_")}
    some, made = evaluation.corrupted_rows, evaluation.permuted
    return {
        "predictions": {name: put(values) for name, values in evaluation.predictions.items()},
        "worse": {name: put(values) for name, values in worse.items()},
        "corrupted_rows": None if some is None else put(some),
        "permuted": None if made is None else [put(made.confidence), put(made.positions)],
        "robustness": {name: list(values) for name, values in evaluation.robustness.items()},
        "also": {name: _index(part, arrays) for name, part in evaluation.also.items()},
    }
