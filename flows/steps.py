"""How does a plain function run as a step of a flow?"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flows.progress import doing, words_of

P = ParamSpec("P")
R = TypeVar("R")


def step(function: Callable[P, R], what: str = "") -> Callable[P, R]:
    """`function` as a Prefect task that says what it is doing.

    Its arguments and results are neither hashed nor stored: for a large array that takes Prefect seconds.

    Args:
        function: the step.
        what: the step in words; those of `words_of` where nothing is given.
    """
    from prefect import task
    from prefect.cache_policies import NO_CACHE

    title = what or words_of(function)

    @wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> R:
        with doing(title):
            return function(*args, **kwargs)

    return task(name=title, persist_result=False, cache_policy=NO_CACHE)(told)
