"""How often may honest data be warned of by chance, over all questions together?"""

from __future__ import annotations

FALSE_ALARMS = 0.01
STATISTICAL = ("DC109", "DC170", "DC171", "DC180")
"""The checks that compare with chance, and share the false alarms among them."""


def alpha() -> float:
    """The false alarms of one check.

    Divided by the number of checks that there are and not of those that apply, which errs on the safe side.

    Example:
        >>> alpha()
        0.0025
    """
    return FALSE_ALARMS / len(STATISTICAL)
