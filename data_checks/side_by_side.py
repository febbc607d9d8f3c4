"""How do the rows that were found look beside the rows that they repeat?

The page holds what the rows hold, so that it stays where the data are: of private data nobody uploads it.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data_checks.check import Check
from data_checks.evidence.schema import columns_of
from data_checks.evidence.table import locate
from data_checks.page import STYLE
from data_checks.report import Finding
from data_checks.splits import Array, Splits, read_inputs

if TYPE_CHECKING:
    import pandas as pd

FILE = "rows.html"
_PAIRS = 20
_COLUMNS = 30
_LETTERS = 300
_SMALLEST_SIDE = 112

_OWN_STYLE = """
figure { display: inline-block; margin: .5rem 1rem .5rem 0 } figcaption { color: #5b6672; font-size: .9rem }
img { image-rendering: pixelated; border: 1px solid #dfe3e8 } mark { background: #ffe2a8 }
td { overflow-wrap: anywhere }
"""


def write_pairs(
    checks: Sequence[Check], findings: Sequence[Finding], table: pd.DataFrame, splits: Splits, folder: Path
) -> str:
    """Write the pairs of every finding that names them to `rows.html`.

    Returns:
        The name of the page; empty where there are no pairs, and nothing was written.
    """
    by_code = {check.code: check for check in checks}
    parts = [
        part
        for finding in findings
        if finding.status in ("failed", "warned") and finding.code in by_code
        for part in [_section(by_code[finding.code], finding, table, splits)]
        if part
    ]
    path = folder / FILE
    path.unlink(missing_ok=True)
    if parts:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(_page(parts), encoding="utf-8")
    return FILE if parts else ""


def _page(parts: list[str]) -> str:
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Rows side by side</title><style>{STYLE}{_OWN_STYLE}</style></head><body>
<h1>Rows side by side</h1>
{"".join(parts)}
</body></html>
"""


def _section(check: Check, finding: Finding, table: pd.DataFrame, splits: Splits) -> str:
    if not check.twin or check.twin not in table:
        return ""
    twins = np.asarray(table[check.twin])
    positions = np.flatnonzero((twins >= 0) & (np.asarray(table[check.column]) > 0))
    pairs = [_pair(table, splits, int(row), int(twins[row])) for row in positions[:_PAIRS]]
    more = f"<p class='quiet'>and {len(positions) - _PAIRS:,} more</p>" if len(positions) > _PAIRS else ""
    title = f"<h2>{escape(finding.title)} <span class='quiet'>{escape(finding.code)}</span></h2>"
    return f"{title}{''.join(pairs)}{more}" if pairs else ""


def _pair(table: pd.DataFrame, splits: Splits, row: int, twin: int) -> str:
    names, cells = [], []
    for position in (row, twin):
        name, index = locate(splits, position)
        split = splits.named()[name]
        names.append(f"{name} row {table.at[position, 'id']} (target {split.targets[index]})")
        cells.append(columns_of(read_inputs(split.inputs, np.array([index]))))
    if all(_is_picture(column) for read in cells for column in read.values()):
        return "<div>" + "".join(map(_figure, names, cells)) + "</div>"
    return _values(names, *cells)


def _is_picture(column: Array) -> bool:
    return column.ndim >= 3 and column.dtype.kind in "biuf"


def _figure(name: str, read: Mapping[str, Array]) -> str:
    pictures = "".join(_picture(column[0]) for column in read.values())
    return f"<figure>{pictures}<figcaption>{escape(name)}</figcaption></figure>"


def _picture(pixels: Array) -> str:
    from PIL import Image

    plain = np.squeeze(pixels)
    if plain.ndim == 3 and plain.shape[0] == 3:
        plain = plain.transpose(1, 2, 0)
    # Brightness in whatever unit, stretched so that it can be seen.
    values = np.nan_to_num(plain.astype(float))
    spread = float(np.ptp(values)) or 1.0
    shown = Image.fromarray(((values - values.min()) / spread * 255).astype(np.uint8))
    times = max(1, -(-_SMALLEST_SIDE // max(1, min(shown.size))))
    content = io.BytesIO()
    shown.resize((shown.width * times, shown.height * times), Image.Resampling.NEAREST).save(content, "PNG")
    return f'<img alt="" src="data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}">'


def _values(names: list[str], ours: Mapping[str, Array], theirs: Mapping[str, Array]) -> str:
    left, right = _flat(ours), _flat(theirs)
    shown = [(name, _word(left.get(name)), _word(right.get(name))) for name in {**left, **right}]
    # What differs first: the rest is what makes the rows a pair.
    shown.sort(key=lambda cell: cell[1] == cell[2])
    lines = "".join(_line(*cell) for cell in shown[:_COLUMNS])
    more = (
        f"<tr><td>and {len(shown) - _COLUMNS:,} more</td><td></td><td></td></tr>"
        if len(shown) > _COLUMNS
        else ""
    )
    heads = "".join(f"<th>{escape(name)}</th>" for name in ("", *names))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{lines}{more}</tbody></table>"


def _flat(read: Mapping[str, Array]) -> dict[str, Any]:
    return {
        name if column.ndim == 1 else f"{name}[{place}]": value
        for name, column in read.items()
        for place, value in enumerate(column.reshape(-1).tolist())
    }


def _line(name: str, ours: str, theirs: str) -> str:
    marked = "" if ours == theirs else "<mark>"
    end = "</mark>" if marked else ""
    cells = "".join(f"<td>{marked}{escape(word)}{end}</td>" for word in (ours, theirs))
    return f"<tr><th>{escape(name)}</th>{cells}</tr>"


def _word(value: Any) -> str:
    word = "" if value is None else str(value)
    return word if len(word) <= _LETTERS else f"{word[:_LETTERS]}..."
