"""What is said beside the gates: does a model surpass the anchor, and what will its score be on new rows?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wdgate.evaluation.evaluation import Evaluation
from wdgate.gates.better_gate import gain_in_common
from wdgate.gates.expected import expected_of
from wdgate.gates.gates import Case
from wdgate.gates.sentences import improved, spoken


def surpassing(case: Case) -> dict[str, Any] | None:
    """Whether the candidate is surely better than the anchor, in whose place it then comes, with the numbers.

    None where there is no anchor that it can be compared with.
    """
    found = gain_in_common(case.evaluation, case.anchor, case.task, case.alpha)
    if found is None:
        return None
    score, bounds = found
    shown = bool(bounds.lower > 0)
    sentence = (
        f"It is better than the anchor by {improved(score)(bounds.observed)} in {spoken(score)} on the same "
        f"{bounds.rows:,} test rows, and becomes the anchor."
    )
    return {
        "shown": shown,
        "score": score,
        "observed": bounds.observed,
        "lower": bounds.lower,
        "rows": bounds.rows,
        "alpha": case.alpha,
        "anchor": case.anchor.onnx_sha256 if isinstance(case.anchor, Evaluation) else None,
        "sentence": sentence if shown else "",
    }


def on_new_rows(case: Case, earlier: Sequence[float], look: int) -> dict[str, Any] | None:
    """What the candidate's primary score comes to on new rows; None where it was not measured.

    Args:
        case: the candidate, and the champion, which tells how much of its luck is shared.
        earlier: what other models reached on these rows before.
        look: which judgement on these rows this is, from 1.
    """
    score = case.task.primary
    found = expected_of(score, case.evaluation, case.champion, case.task, earlier)
    if found is None or not math.isfinite(found.value):
        return None
    return {
        "score": score,
        "observed": found.observed,
        "value": found.value,
        "error": found.error,
        "looks_before": look - 1,
        "sentence": found.sentence(score) if found.looks > 1 else "",
    }
