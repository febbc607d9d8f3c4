"""Which questions is all data asked?"""

from __future__ import annotations

from data_checks.check import Check
from data_checks.kinds import copies, form, labels, near, preparation, shift, targets, texts, units


def default_checks(classes: int | None = None) -> tuple[Check, ...]:
    """The checks that fit every kind of data; what does not apply is answered `not applicable`.

    Args:
        classes: how many classes the task has; None for values, or where that is not known.
    """
    checks = (*form.checks(classes), *copies.CHECKS, *near.CHECKS, *texts.CHECKS, *units.CHECKS)
    checks += (*targets.CHECKS, *preparation.CHECKS, *shift.CHECKS, *labels.CHECKS)
    return tuple(sorted(checks, key=lambda check: check.code))
