"""How are many numbers offered and only the wanted ones computed?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping


class Lazy(Mapping[str, float]):
    """Numbers by name, each computed when it is first asked for.

    A bound that is found by leaving rows out asks for one number hundreds of times.

    Example:
        >>> numbers = Lazy({"half": lambda: 0.5, "never": lambda: 1 / 0})
        >>> sorted(numbers), numbers["half"]
        (['half', 'never'], 0.5)
    """

    def __init__(self, measures: Mapping[str, Callable[[], float]]) -> None:
        self._measures = dict(measures)
        self._known: dict[str, float] = {}

    def __getitem__(self, name: str) -> float:
        if name not in self._known:
            self._known[name] = float(self._measures[name]())
        return self._known[name]

    def __contains__(self, name: object) -> bool:
        return name in self._measures

    def __iter__(self) -> Iterator[str]:
        return iter(self._measures)

    def __len__(self) -> int:
        return len(self._measures)

    def __repr__(self) -> str:
        return repr(dict(self))
