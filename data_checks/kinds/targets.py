"""Does anything give the target away that is not known when a prediction is asked for?"""

from __future__ import annotations

from functools import partial

from data_checks import planted_columns as plants
from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import names, pairs, proxies
from data_checks.evidence.concordance import Reading
from data_checks.evidence.proxies import Proxy

_LISTED = 3


def _proxies(found: Offenders, fully: bool) -> tuple[Proxy, ...]:
    return tuple(proxy for proxy in found.facts if proxy.reading.fully == fully)


def _say(told: tuple[Proxy, ...]) -> str:
    words = [
        f"{p.name}{p.how and ', ' + p.how} (right for {_percent(p.reading)} of pairs of rows)"
        for p in told[:_LISTED]
    ]
    return "; ".join(words) + (f"; and {len(told) - _LISTED:,} more" if len(told) > _LISTED else "")


def _percent(reading: Reading) -> str:
    # Cut and not rounded: 99.96 % is not everything.
    return f"{int(reading.share * 1000) / 10:g} %"


def _say_columns(fully: bool, found: Offenders) -> str:
    much = "gives the target away" if fully else "nearly gives the target away"
    return f"What {much}: {_say(_proxies(found, fully))}."


def _say_names(found: Offenders) -> str:
    return f"What says the target, though it is no input: {_say(found.facts)}."


def _say_pairs(found: Offenders) -> str:
    return f"Two columns give the target away together: {_say(found.facts)}."


def _columns(fully: bool, found: Offenders) -> tuple[str, ...]:
    return tuple(proxy.name for proxy in _proxies(found, fully))


def _plant(name: str, make: plants.Make) -> Plant:
    return Plant(name, partial(plants.planted, make=make))


CHECKS = (
    Check(
        "DC150",
        "No column gives the target away",
        "Is there no column that orders the rows as their targets do, so that it may be the target itself?",
        column="proxies",
        measure=proxies.measure,
        explain=partial(_say_columns, True),
        clean="No column gives the target away.",
        applies=proxies.why_not,
        per_row=False,
        names=partial(_columns, True),
        plants=(
            _plant("the target under another name", plants.itself),
            _plant("the target with noise of 0.001 standard deviations", plants.noisy),
            _plant("the target in another unit", plants.scaled),
            _plant("the target in words", plants.as_text),
            _plant("classes under other numbers", plants.recoded),
            _plant("missing for one class", plants.missing_for_one),
        ),
    ),
    Check(
        "DC151",
        "No column nearly gives the target away",
        "Is there no column that orders the rows nearly as their targets do?",
        column="near_proxies",
        measure=proxies.measure,
        explain=partial(_say_columns, False),
        clean="No column nearly gives the target away.",
        severity="warn",
        applies=proxies.why_not,
        per_row=False,
        names=partial(_columns, False),
        plants=(_plant("the target with noise that hides little of it", plants.nearly),),
    ),
    Check(
        "DC152",
        "Names and order say nothing of the target",
        "Do neither the ids of the rows nor the order in which they stand tell their targets?",
        column="telling_names",
        measure=names.measure,
        explain=_say_names,
        clean="Neither the ids nor the order of the rows tell their targets.",
        severity="warn",
        applies=names.why_not,
        per_row=False,
        plants=(
            Plant("rows sorted by target", plants.sorted_by_target),
            Plant("ids numbered by target", partial(plants.named_by_target, template="row {rank} {sign}")),
            Plant("files named by target", partial(plants.named_by_target, template="all/{rank}_{sign}.png")),
        ),
    ),
    Check(
        "DC153",
        "No pair of columns gives the target away",
        "Are there no two columns that give the target away together, where neither does alone?",
        column="proxy_pairs",
        measure=pairs.measure,
        explain=_say_pairs,
        clean="No two columns give the target away together.",
        applies=pairs.why_not,
        per_row=False,
        names=lambda found: tuple(proxy.name for proxy in found.facts),
        plants=(
            _plant("two columns whose sum is the target", plants.sum_of_two),
            _plant("two columns whose ratio is the target", plants.ratio_of_two),
            _plant("two columns that are equal for one class", plants.equal_for_one),
        ),
    ),
)
