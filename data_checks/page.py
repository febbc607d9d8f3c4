"""How does a reader who is no specialist see what was found about the data?"""

from __future__ import annotations

from html import escape
from pathlib import Path

from data_checks.report import DataReport, Finding
from data_checks.splits import Splits

_ROWS_SHOWN = 200

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1c2430; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .5rem .6rem; border-bottom: 1px solid #dfe3e8 }
.verdict { padding: .8rem 1rem; border-left: 6px solid } .status { font-weight: 600; white-space: nowrap }
.passed { color: #17663a; border-color: #17663a } .warned { color: #8a5a00; border-color: #8a5a00 }
.failed, .error { color: #a31621; border-color: #a31621 } .not-applicable { color: #5b6672 }
.quiet { color: #5b6672; font-size: .9rem } code { font-size: .9rem; overflow-wrap: anywhere }
"""


def write_page(report: DataReport, path: Path, splits: Splits, beside: str = "") -> None:
    """Write the report as one page that needs nothing else; private rows go by their salted keys.

    Args:
        report: the findings.
        path: the file.
        splits: the rows.
        beside: the name of the page that shows the rows side by side, if there is one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_page(report, splits, beside), encoding="utf-8")


def render_page(report: DataReport, splits: Splits, beside: str = "") -> str:
    """The page as HTML: what stops or warns first, what was not asked last."""
    sizes = ", ".join(f"{len(split):,} {name}" for name, split in splits.named().items())
    source = f" from {escape(splits.source)}" if splits.source else ""
    verdict = "passed" if report.passed else "failed"
    title = "The data can be judged on" if report.passed else "The data cannot be judged on"
    rows = "\n".join(_finding_row(finding) for finding in sorted(report.findings, key=_urgency))
    link = f"<p><a href='{escape(beside)}'>The rows side by side</a></p>" if beside else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><style>{STYLE}</style></head><body>
<h1>{title}</h1>
<p class="verdict {verdict}">{escape(report.sentence)}</p>
<p>{sizes} rows{source}. {_left_out(report)}</p>
{link}
<table><thead><tr><th>Check</th><th>Answer</th><th>What was found</th>
<th>Would it have found a leak?</th></tr></thead>
<tbody>
{rows}
</tbody></table>
{_fingerprints(report)}
</body></html>
"""


def _urgency(finding: Finding) -> int:
    if finding.blocks:
        return 0
    if finding.status == "warned" or finding.vouched_for is False:
        return 1
    return 3 if finding.status == "not applicable" else 2


def _finding_row(finding: Finding) -> str:
    kind = finding.status.replace(" ", "-")
    return (
        f"<tr><td>{escape(finding.title)}<br><span class='quiet'>{escape(finding.code)}</span></td>"
        f"<td class='status {kind}'>{escape(finding.status)}</td>"
        f"<td>{escape(finding.sentence)}{_rows(finding)}</td><td>{_word(finding)}</td></tr>"
    )


def _rows(finding: Finding) -> str:
    if not finding.rows:
        return ""
    shown = ", ".join(escape(row) for row in finding.rows[:_ROWS_SHOWN])
    more = f" and {len(finding.rows) - _ROWS_SHOWN:,} more" if len(finding.rows) > _ROWS_SHOWN else ""
    return f"<details><summary>{len(finding.rows):,} test rows</summary><code>{shown}{more}</code></details>"


def _word(finding: Finding) -> str:
    if finding.vouched_for is None or finding.share_found is None:
        return "<span class='quiet'>not tried</span>"
    found = f"{finding.share_found:.0%} of the planted rows"
    word = f"yes, {found}" if finding.vouched_for else f"<span class='failed'>not vouched for: {found}</span>"
    told = ", ".join(f"{escape(name)} {share:.0%}" for name, share in finding.shares.items())
    return f"{word}<br><span class='quiet'>{told}</span>" if told else word


def _left_out(report: DataReport) -> str:
    count = int(report.left_out.sum())
    return f"{count:,} of the test rows are left out of judging." if count else "All test rows are judged on."


def _fingerprints(report: DataReport) -> str:
    shown = ", ".join(f"{escape(name)} <code>{value}</code>" for name, value in report.fingerprints.items())
    return f"<p class='quiet'>Fingerprints: {shown}</p>"
