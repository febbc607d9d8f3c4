"""What do candidate, champion and anchor do on the same rows, and on which of them may they be compared?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_checks.errors import ModelError
from data_checks.splits import Split
from wdgate import releases, stored
from wdgate.asked import Asked
from wdgate.canonical import plain, sha256
from wdgate.evaluation.evaluation import Evaluation, Incomparable
from wdgate.evaluation.tasks import described
from wdgate.gates.gap_gate import asks_for_train, train_rows
from wdgate.gates.reuse import keys_by_row, salted_keys
from wdgate.ledger import Entry
from wdgate.standing import onnx_of

Rows = NDArray[np.intp]


def candidate_of(asked: Asked) -> Evaluation:
    """What the candidate does on the test rows, predicted once."""
    return _evaluation(asked, asked.onnx)


def on_train(asked: Asked) -> Evaluation | None:
    """What the candidate does on train rows, where a gate asks for the generalization gap."""
    if not asks_for_train(asked.gates):
        return None
    train = asked.splits.train
    return asked.evaluates(asked.onnx, train_rows(train), asked.task, reference=train, corruptions=())


def version_of(asked: Asked, promoted: Entry | None) -> Evaluation | Incomparable | None:
    """What a version in use does on the test rows: its verified bytes are run on them.

    Returns:
        Its evaluation, with the rows that it has not learned from; why it cannot be compared with, and what
        can be done then; None where there is no version.
    """
    if promoted is None:
        return None
    found = _comparable(asked, promoted)
    if isinstance(found, Incomparable):
        name = asked.registry.name
        advice = f"`wdgate init NEW_NAME --succeed {name}` opens a name that begins anew and says so"
        return Incomparable(f"{found.reason}; {advice}")
    learned = _learned(asked, promoted)
    also = {
        name: replace(there, unseen=_unseen(asked, asked.splits.also[name], learned))
        for name, there in found.also.items()
    }
    return replace(found, unseen=_unseen(asked, asked.rows, learned), also=also)


def learned_from(asked: Asked, entries: Sequence[Entry]) -> dict[str, str]:
    """Where the keys of the candidate's train and validation rows are, once they are stored."""
    registry, splits = asked.registry, asked.splits.named()
    known = {p for e in entries if e.kind == "promoted" for p in e.body["learned_from"].values()}
    return {
        name: releases.write_rows(registry, salted_keys(splits[name], registry.salt, registry.lineage), known)
        for name in ("train", "validation")
        if name in splits
    }


def predictions_of(asked: Asked, release_run_id: str) -> dict[str, Any] | None:
    """The candidate's predictions, stored beside its release: of what, and their hash; None if not."""
    if not asked.splits.public:
        return None
    evaluation = candidate_of(asked)
    content = stored.packed(evaluation, asked.splits)
    if content is None:
        return None
    sha256 = releases.write_predictions(asked.registry, release_run_id, content)
    return {**stored.named(evaluation, asked.splits), "sha256": sha256}


def _comparable(asked: Asked, promoted: Entry) -> Evaluation | Incomparable:
    if promoted.body.get("task") != plain(described(asked.task)):
        return Incomparable("it was promoted for another task, or other classes")
    onnx, _ = releases.read_promoted(asked.registry, promoted)
    try:
        found = _recalled(asked, promoted) or _evaluation(asked, onnx)
    except ModelError as error:  # rows of another shape than it was made for; the gates say what that means
        return Incomparable(str(error))
    if _shapes(found) != _shapes(candidate_of(asked)):
        return Incomparable("it predicts other things, such as other classes")
    return found


def _evaluation(asked: Asked, onnx: bytes) -> Evaluation:
    key = sha256(onnx)
    if key not in asked.evaluations:
        asked.evaluations[key] = asked.step(asked.evaluates)(
            onnx,
            asked.rows,
            asked.task,
            reference=asked.splits.train,
            also=asked.splits.also,
        )
    return asked.evaluations[key]


def _recalled(asked: Asked, promoted: Entry) -> Evaluation | None:
    """The evaluation from stored predictions, where they are of these rows and nothing is missing in them."""
    kept, candidate = promoted.body["predictions"], candidate_of(asked)
    wanted = stored.named(candidate, asked.splits)
    if kept is None or {name: kept[name] for name in wanted} != wanted:
        return None
    content = releases.read_predictions(asked.registry, promoted.body["release_run_id"], kept["sha256"])
    rows, also = asked.rows, asked.splits.also
    found = stored.unpacked(content, onnx_of(promoted), rows, also, asked.task, asked.splits.train)
    return found if _measured(found) == _measured(candidate) else None


def _measured(evaluation: Evaluation) -> tuple[set[str], bool]:
    return set(evaluation.scores), evaluation.permuted is None


def _shapes(evaluation: Evaluation) -> dict[str, Any]:
    return {name: values.shape for name, values in evaluation.predictions.items()}


def _learned(asked: Asked, promoted: Entry) -> NDArray[np.uint64]:
    """The keys of all rows that a version was fitted or chosen on."""
    places = promoted.body["learned_from"].values()
    keys = [releases.read_rows(asked.registry, place) for place in places]
    return np.concatenate([np.empty(0, np.uint64), *keys])


def _unseen(asked: Asked, rows: Split, learned: NDArray[np.uint64]) -> Rows | None:
    keys = keys_by_row(rows, asked.registry.salt, asked.registry.lineage)
    seen = np.isin(keys, learned).any(axis=1)
    return np.flatnonzero(~seen) if seen.any() else None
