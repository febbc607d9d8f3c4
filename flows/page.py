"""What does a reviewer read first? One page a run that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path

from flows.report import Summary, number


def page(summary: Summary, pictures: Mapping[str, bytes]) -> str:
    """The run as one HTML document.

    Args:
        summary: what is said.
        pictures: PNG bytes by title, shown in this order.
    """
    from jinja2 import Environment, StrictUndefined

    # Autoescape: a class name or a row's id is the user's text, not our markup.
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    template = environment.from_string((Path(__file__).parent / "page.html").read_text())
    encoded = {title: base64.b64encode(picture).decode() for title, picture in pictures.items()}
    return template.render(summary=summary.as_dict(), pictures=encoded, number=number)
