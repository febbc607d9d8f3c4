"""How is a model trained with weight decay, and what did the decay do?

`watch` is looked up when it is first used, so that naming this package does not import torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wd_train.watching import watch

__all__ = ["watch"]


def __getattr__(name: str) -> Any:
    if name != "watch":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wd_train.watching import watch

    return watch
