"""What does a reviewer read first? One page a run that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.decoys_told import decoys_line
from flows.report import Summary, corrupted, number


def page(summary: Summary, pictures: Mapping[str, bytes], decay: Mapping[str, Any] | None = None) -> str:
    """The run as one HTML document.

    Args:
        summary: what is said.
        pictures: PNG bytes by title, shown in this order.
        decay: which tensors are decayed, which are not and why, and the last reading of each.
    """
    from jinja2 import Environment, StrictUndefined

    # Autoescape: a class name or a row's id is the user's text, not our markup.
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((Path(__file__).parent / "page.html").read_text())
    encoded = {title: base64.b64encode(picture).decode() for title, picture in pictures.items()}
    return template.render(
        summary=summary.as_dict(),
        pictures=encoded,
        tensors=_tensors(decay or {}),
        decoys=decoys_line(summary.decoys),
        number=number,
        robustness=[line for line in (*corrupted(summary.corruptions), summary.attacks) if line],
    )


def _tensors(decay: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row a parameter: what was decided about it, and where it was at the end."""
    readings = decay.get("readings") or [{"tensors": []}]
    last = {tensor["name"]: tensor for tensor in readings[-1]["tensors"]}
    return [{**tensor, "last": last.get(tensor["name"], {})} for tensor in decay.get("tensors", ())]
