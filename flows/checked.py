"""What did `wdgate check` find, write and remove, on the terminal and as JSON?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.report import escape, findings_table
from flows.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from data_checks.check import Check
    from data_checks.fixing import Removal
    from data_checks.proposing import Proposal
    from data_checks.report import DataReport
    from data_checks.splits import Splits


@dataclass(frozen=True, eq=False)
class Checked:
    """What was found about some rows, and what was written of it.

    Args:
        report: the findings.
        checks: what was asked.
        splits: the rows.
        docs: the folder of the readable findings.
        proposal: the split of one file, where one was asked for.
        fixed: what was removed, where that was asked for.
        paths: the files that were written, by what they are.
        target: what the target was taken for, in a sentence; empty for pipelines, which say so themselves.
    """

    report: DataReport
    checks: Sequence[Check]
    splits: Splits
    docs: Path
    proposal: Proposal | None = None
    fixed: Fixed | None = None
    paths: Mapping[str, Path] = field(default_factory=dict)
    target: str = ""

    @property
    def passed(self) -> bool:
        """Whether a model may be judged on these rows, or on those that are left of them."""
        return self.report.passed if self.fixed is None else self.fixed.report.passed

    def as_dict(self) -> dict[str, Any]:
        """What `--json` prints."""
        document = {**self.report.as_dict(), "passed": self.passed}
        document["paths"] = {name: str(path) for name, path in self.paths.items()}
        if self.proposal is not None:
            found = self.proposal
            rows = {name: len(places) for name, places in found.places.items()}
            document["proposal"] = {
                "by": found.by,
                "reasons": list(found.reasons),
                "call": found.call,
                "rows": rows,
            }
        if self.fixed is not None:
            document["fixed"] = self.fixed.as_dict()
        return document


@dataclass(frozen=True, eq=False)
class Fixed:
    """The rows that leak, and what is found about the others.

    Args:
        removal: the rows that were removed, in all passes.
        report: the findings about what is left; those about all rows, where nothing leaks.
    """

    removal: Removal
    report: DataReport

    def as_dict(self) -> dict[str, Any]:
        """As plain values."""
        removed = {name: int(rows.sum()) for name, rows in self.removal.rows.items() if rows.any()}
        counts, unmended = dict(self.removal.counts), dict(self.removal.unmended)
        left = {"passed": self.report.passed, "sentence": self.report.sentence}
        return {"removed": removed, "by_code": counts, "not_mended": unmended, "left": left}


def data_docs(settings: Settings, splits: Splits) -> Path:
    """The folder that the readable findings about these rows are kept in.

    Private rows have one of their own, so that pages that name rows by their own ids never lie where a run
    takes up its pages.
    """
    ending = "" if splits.public else "-private"
    return settings.home / "data_docs" / f"{splits.test.fingerprint}{ending}"


def show(checked: Checked, to: Console) -> None:
    """Print what was found for a person."""
    if checked.proposal is not None:
        _show_proposal(checked.proposal, checked, to)
    if checked.target:
        to.print(escape(checked.target), highlight=False)
    to.print()
    to.print(findings_table(checked.report.as_dict()["findings"]))
    to.print(f"\n{escape(_verdict(checked.report))}", highlight=False)
    if checked.fixed is not None:
        _show_fixed(checked.fixed, checked, to)
    told = {"rows": "The rows, one a line", "report": "To read in a browser"}
    for name, words in told.items():
        if name in checked.paths:
            to.print(f"{words}: {escape(str(checked.paths[name]))}", highlight=False, soft_wrap=True)


def _verdict(report: DataReport) -> str:
    """What follows for a judgement; the table above has the sentences."""
    blocking = [finding.code for finding in report.findings if finding.blocks]
    if not blocking:
        return report.sentence
    return f"A model must not be judged on these rows: {', '.join(blocking)}."


def _show_proposal(proposal: Proposal, checked: Checked, to: Console) -> None:
    sizes = ", ".join(f"{len(rows):,} {name}" for name, rows in proposal.places.items())
    source = escape(proposal.splits.source)
    to.print(f"[bold]A split of {source}[/bold]: {sizes} rows (counted from 0 in {source})", highlight=False)
    for reason in proposal.reasons:
        to.print(f"- {escape(reason)}", highlight=False)
    to.print("The same in Python:", highlight=False)
    to.print("  from data_checks import image_folder, read_table, split", highlight=False)
    to.print(f"  splits = {escape(proposal.call)}", highlight=False, soft_wrap=True)
    written = [str(path) for name, path in checked.paths.items() if name not in ("rows", "report")]
    to.print(f"Written: {escape(', '.join(written))}", highlight=False, soft_wrap=True)


def _show_fixed(fixed: Fixed, checked: Checked, to: Console) -> None:
    removed = fixed.as_dict()["removed"]
    if removed:
        rows = " and ".join(
            f"{count:,} {name} row{'s' if count > 1 else ''}" for name, count in removed.items()
        )
        codes = ", ".join(f"{code} {count:,}" for code, count in fixed.removal.counts.items())
        written = [str(checked.paths[name]) for name in removed if name in checked.paths]
        where = f" Written without them: {', '.join(written)}." if written else ""
        to.print(f"\n[bold]Removed[/bold] {rows} ({codes}).{escape(where)}", highlight=False, soft_wrap=True)
        to.print(f"What is left: {escape(fixed.report.sentence)}", highlight=False)
    else:
        nothing = "" if checked.proposal is not None else ", so that nothing was written"
        to.print(f"\nNo row leaks that could be removed{nothing}.", highlight=False)
    for code, reason in fixed.removal.unmended.items():
        to.print(f"Not mended by removing rows: {code}, because {escape(reason)}.", highlight=False)
