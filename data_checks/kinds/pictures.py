"""Is a picture judged on that is a train picture but for a change, or that tells its class by its border?"""

from __future__ import annotations

from functools import partial
from typing import Any

from data_checks import picture_plants
from data_checks.check import Check, Offenders, Plant
from data_checks.evidence import picture_copies, shortcuts
from data_checks.evidence.picture_views import VIEWS

LEFT_OUT = 0.005
# Grey levels, on average over the picture; less is what noise and encoding do.
_BRIGHTER = 4
_LISTED = 3


def _say(found: Offenders, row: int) -> str:
    evidence = found.rows.loc[[row]].to_dict("records")[0]
    how = _how(evidence)
    most = f"grey levels differ by at most {evidence['picture_difference']} of 255"
    return f"{found.name(row)} is {found.name(evidence['picture_twin'])} {how} ({most})"


def _how(evidence: dict[Any, Any]) -> str:
    """What was done to a picture, in words."""
    brighter = evidence["picture_brighter"]
    words = [VIEWS[evidence["picture_view"]].words()]
    words += ["with a mark or another detail"] if evidence["picture_marked"] else []
    words += ["brighter"] if brighter >= _BRIGHTER else []
    words += ["darker"] if brighter <= -_BRIGHTER else []
    return ", ".join(word for word in words if word) or "re-encoded"


def _say_shortcuts(found: Offenders) -> str:
    words = [
        f"{shortcut.where} tells class {shortcut.target} ({shortcut.share:.1%} of its rows agree there, and "
        f"{shortcut.others:.1%} of the others)"
        for shortcut in found.facts[:_LISTED]
    ]
    more = len(found.facts) - len(words)
    return "; ".join(words) + (f"; and {more:,} more" if more else "") + "."


def _plant(name: str, change: picture_plants.Change, must_find: float) -> Plant:
    return Plant(name, partial(picture_plants.changed, change=change), must_find)


CHECKS = (
    Check(
        "DC125",
        "No changed pictures in test",
        "Is no test picture a train picture again, re-encoded, flipped, shifted, or of other grey levels?",
        column="picture_changed",
        twin="picture_twin",
        measure=picture_copies.measure,
        explain=lambda found: f"{found.listed(partial(_say, found))}; left out of judging.",
        clean="No test picture is a changed train picture.",
        applies=picture_copies.why_not,
        asked_of="test",
        tolerated=LEFT_OUT,
        leaves_out=True,
        plants=(
            _plant("noise of 5 grey levels", picture_plants.noisy, 0.9),
            _plant("another brightness", picture_plants.brighter, 0.9),
            _plant("another gamma", picture_plants.bent, 0.9),
            _plant("JPEG of quality 50", picture_plants.compressed, 0.9),
            _plant("shifted by 1 or 2 px", picture_plants.shifted, 0.9),
            _plant("flipped", picture_plants.flipped, 0.9),
            _plant("inverted", picture_plants.inverted, 0.9),
        ),
    ),
    Check(
        "DC126",
        "No rotated, zoomed or marked pictures in test",
        "Is no test picture a train picture again, rotated or zoomed a little, or with a mark on it?",
        column="picture_turned",
        twin="picture_twin",
        measure=picture_copies.measure,
        explain=lambda found: f"{found.listed(partial(_say, found))}.",
        clean="No test picture is a train picture that was rotated, zoomed or marked.",
        severity="warn",
        applies=picture_copies.why_not,
        asked_of="test",
        plants=(
            _plant("rotated by 3 to 10 degrees", picture_plants.rotated, 0.6),
            _plant("zoomed by 1.05 to 1.15", picture_plants.zoomed, 0.6),
            _plant("a mark", picture_plants.marked, 0.6),
        ),
    ),
    Check(
        "DC155",
        "No shortcut at the border",
        "Is there nothing beside the subject of a picture, such as a mark or a border, that tells its class?",
        column="picture_shortcuts",
        measure=shortcuts.measure,
        explain=_say_shortcuts,
        clean="No border, corner or form of file tells a class.",
        severity="warn",
        applies=shortcuts.why_not,
        per_row=False,
        plants=(Plant("a mark on one class", picture_plants.mark_of_a_class),),
    ),
)
