"""Can this data be trusted to judge a model?

    from data_checks import check_splits, read_splits

Nothing is imported before it is used: pandas and Great Expectations take seconds.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from data_checks.checks import check_splits
    from data_checks.readers import image_folder, read_table
    from data_checks.sources import read_splits
    from data_checks.splits import Split, Splits
    from data_checks.splitting import split

__all__ = ["Split", "Splits", "check_splits", "image_folder", "read_splits", "read_table", "split"]

_HOMES = {
    "Split": "data_checks.splits",
    "Splits": "data_checks.splits",
    "check_splits": "data_checks.checks",
    "image_folder": "data_checks.readers",
    "read_splits": "data_checks.sources",
    "read_table": "data_checks.readers",
    "split": "data_checks.splitting",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'data_checks' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
