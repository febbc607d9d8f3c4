"""What is said beside the gates: does a model surpass the anchor, and what will its score be on new rows?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wdgate.evaluation.evaluation import Evaluation
from wdgate.gates.better_gate import gain
from wdgate.gates.expected import ONE_SIGMA, expected_of
from wdgate.gates.gates import Case
from wdgate.gates.measuring import incomparable, measured
from wdgate.gates.sentences import improved, spoken


def surpassing(case: Case) -> dict[str, Any] | None:
    """Whether the candidate is surely better than the anchor, in whose place it then comes, with the numbers.

    By the primary score, or by the proper one where the two have no primary one in common, as
    `better_gate.superior` asks. None where there is no anchor that it can be compared with.
    """
    anchor = case.anchor
    for score in (case.task.primary, case.task.proper):
        if isinstance(anchor, Evaluation) and incomparable(score, case.evaluation, anchor) is None:
            bounds = gain(score, case.evaluation, anchor, case.task, case.alpha)
            better = improved(score)
            sentence = (
                f"It is better than the anchor by {better(bounds.observed)} in {spoken(score)} on the same "
                f"{bounds.rows:,} test rows, and becomes the anchor."
            )
            return {
                "shown": bool(bounds.lower > 0),
                "score": score,
                "observed": bounds.observed,
                "lower": bounds.lower,
                "rows": bounds.rows,
                "alpha": case.alpha,
                "anchor": anchor.onnx_sha256,
                "sentence": sentence if bounds.lower > 0 else "",
            }
    return None


def on_new_rows(case: Case, earlier: Sequence[float], look: int) -> dict[str, Any] | None:
    """What the candidate's primary score comes to on new rows; None where it was not measured.

    Args:
        case: the candidate, and the champion, which tells how much of its luck is shared.
        earlier: what other models reached on these rows before.
        look: which judgement on these rows this is, from 1.
    """
    score = case.task.primary
    found = expected_of(score, case.evaluation, case.champion, case.task, earlier)
    bounds = measured(score, case.evaluation, case.task, ONE_SIGMA)
    if found is None or bounds is None or not math.isfinite(found.value):
        return None
    return {
        "score": score,
        "observed": found.observed,
        "standard_error": (bounds.upper - bounds.lower) / 2,
        "value": found.value,
        "error": found.error,
        "looks_before": look - 1,
        "sentence": found.sentence(score) if found.looks > 1 else "",
    }
