"""Which questions is all data asked?"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from data_checks.check import Check
from data_checks.kinds import copies, form, labels, near, pictures, preparation, shift, targets, texts, units


def default_checks(
    classes: int | None = None, *, gaps: Literal["fail", "warn"] = "fail"
) -> tuple[Check, ...]:
    """The checks that fit every kind of data; what does not apply is answered `not applicable`.

    Args:
        classes: how many classes the task has; None for values, or where that is not known.
        gaps: what missing inputs do (DC101): they fail what a network is handed as it is, and are told of in
            a file that something else will fill.
    """
    checks = (*form.checks(classes), *copies.CHECKS, *near.CHECKS, *texts.CHECKS, *units.CHECKS)
    checks += (*targets.CHECKS, *preparation.CHECKS, *shift.CHECKS, *labels.CHECKS, *pictures.CHECKS)
    judged = (replace(check, severity=gaps) if check.code == "DC101" else check for check in checks)
    return tuple(sorted(judged, key=lambda check: check.code))
