"""What became of the models that the gates must refuse, in a line?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def decoys_line(decoys: Sequence[Mapping[str, Any]]) -> str:
    """How many gates refused, and which of them passed; empty where none was made.

    Example:
        >>> decoys_line([{"status": "refused"}, {"status": "refused"}, {"status": "not applicable"}])
        '2 decoys, all refused; 1 not applicable'
    """
    if not decoys:
        return ""
    counts = {status: 0 for status in ("refused", "passed", "not applicable")}
    for decoy in decoys:
        counts[decoy["status"]] += 1
    made = counts["refused"] + counts["passed"]
    passed = f"{counts['passed']:,} NOT refused, so that the gates cannot be believed"
    became = passed if counts["passed"] else "all refused" if made > 1 else "refused"
    aside = f"; {counts['not applicable']:,} not applicable" if counts["not applicable"] else ""
    if not made:
        return f"No decoy could be made on these rows{aside}"
    return f"{made:,} {'decoys' if made > 1 else 'decoy'}, {became}{aside}"
