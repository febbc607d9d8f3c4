"""What is a person told at the end of a run, on the terminal and as JSON?"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from flows.candidate import Candidate
    from wdgate.promotion import Promotion

Rows = Sequence[Mapping[str, Any]]

# In the order in which they are counted: what stops first, what was not asked last.
_COLOURS = {
    "failed": "red", "error": "red", "refused": "red", "inconclusive": "yellow", "warned": "yellow",
    "passed": "green", "promoted": "green", "unchanged": "green", "trained": "green", "not applicable": "dim",
}  # fmt: skip


@dataclass(frozen=True)
class Summary:
    """The result of a run, with the field names that `--json` prints.

    Args:
        outcome: promoted, unchanged, refused, or trained where promotion was not asked for.
        reason: one word behind the outcome.
        sentence: the verdict in words.
        model: the registered model.
        version: its version, where the run has one.
        run_id: the run in MLflow.
        look: which judgement on these test rows it was, such as `1 of 20`; empty where none was taken.
        gates: the answer of each gate.
        expected: the primary score, and what it comes to on new rows: `score`, `observed`, `value`,
            `looks_before`; empty where it was not measured.
        findings: the answer of each data check.
        decay: the sentence that says what the decay did.
        diagnoses: what a person should know of the decay: name, sentence, tensors.
        cost: the sentence that says what the training cost.
        file: what is said of the exported file: its temperature, how long it takes to answer, its size.
        onnx_sha256: hash of the exported file.
        also: every score of each further test set with its bounds, where anything was predicted.
        slices: the slices of each attribute of the test rows with their bounds, the worst first; likewise.
        corruptions: what corruptions of the test rows cost, and which of them most, likewise.
        decoys: what became of the models that the gates must refuse.
        attacks: the sentence that says what attacks on validation rows do, by the trainer's measurement.
    """

    outcome: str
    reason: str
    sentence: str
    model: str
    run_id: str
    version: int | None = None
    look: str = ""
    gates: Rows = field(default_factory=tuple)
    expected: Mapping[str, Any] = field(default_factory=dict)
    findings: Rows = field(default_factory=tuple)
    decay: str = ""
    diagnoses: Rows = field(default_factory=tuple)
    cost: str = ""
    file: str = ""
    onnx_sha256: str | None = None
    also: Mapping[str, Any] = field(default_factory=dict)
    slices: Mapping[str, Any] = field(default_factory=dict)
    corruptions: Mapping[str, Any] = field(default_factory=dict)
    decoys: Rows = field(default_factory=tuple)
    attacks: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The summary as plain values."""
        return asdict(self)

    @property
    def exit_code(self) -> int:
        """0 when it was done, 1 when it was refused."""
        return 1 if self.outcome == "refused" else 0


def of_candidate(candidate: Candidate) -> Summary:
    """The summary of a run that stopped at the bar, or at the data checks."""
    refused = candidate.refused
    return Summary(
        outcome="refused" if refused else "trained",
        reason="data" if refused else "not-judged",
        sentence=candidate.data["sentence"] if refused else "Trained and exported; no gate was asked yet.",
        model=candidate.model,
        run_id=candidate.run_id,
        findings=candidate.data["findings"],
        decay=candidate.effect.get("sentence", ""),
        diagnoses=candidate.decay.get("diagnoses", ()),
        cost=candidate.training.get("cost", {}).get("sentence", ""),
        attacks=candidate.training.get("attacks", {}).get("sentence", ""),
        file=candidate.export.get("sentence", ""),
        onnx_sha256=candidate.onnx_sha256,
    )


def of_promotion(candidate: Candidate, promotion: Promotion, findings: Rows) -> Summary:
    """The summary of a run that was judged."""
    decision = promotion.decision or {}
    return Summary(
        outcome=promotion.outcome,
        reason=promotion.reason,
        sentence=promotion.sentence,
        model=promotion.model,
        run_id=candidate.run_id,
        version=promotion.version,
        look=f"{decision['look']} of {decision['looks']}" if decision else "",
        gates=decision.get("gates", ()),
        decoys=decision.get("decoys", ()),
        expected=decision.get("expected") or {},
        findings=findings,
        decay=candidate.effect.get("sentence", ""),
        diagnoses=candidate.decay.get("diagnoses", ()),
        cost=candidate.training.get("cost", {}).get("sentence", ""),
        attacks=candidate.training.get("attacks", {}).get("sentence", ""),
        file=candidate.export.get("sentence", ""),
        onnx_sha256=candidate.onnx_sha256,
    )


def show(summary: Summary, console: Console, next_command: str = "") -> None:
    """Print a summary for a person."""
    version = f" as version {summary.version}" if summary.outcome == "promoted" else ""
    console.print(f"\n[bold]{summary.model}[/bold]: {coloured(summary.outcome)}{version}\n")
    if summary.findings:
        console.print(findings_table(summary.findings))
    if summary.gates:
        console.print()
        console.print(gates_table(summary.gates, summary.look))
    for line in beside(summary):
        console.print(f"\n{escape(line)}", highlight=False)
    did = "\n".join(
        [summary.decay, *(f"{found['name']}: {found['sentence']}" for found in summary.diagnoses)]
    ).strip()
    for title, words in (("What the weight decay did", did), ("Verdict", summary.sentence)):
        if words:
            console.print(f"\n[bold]{title}[/bold]\n{escape(words)}", highlight=False)
    for line in filter(None, (summary.attacks, summary.cost, summary.file)):
        console.print(f"\n{line}", highlight=False)
    console.print(f"\nRun {summary.run_id}", highlight=False)
    if next_command:
        console.print(f"See it in MLflow:  [bold]{next_command}[/bold]", highlight=False)


def beside(summary: Summary) -> list[str]:
    """A line for the decoys, the worst slice of each attribute, each further test set, and corruptions."""
    from flows.judgement_page import told

    document = {"slices": summary.slices, "also": summary.also, "decoys": summary.decoys}
    return [*told(document), *corrupted(summary.corruptions)]


def corrupted(found: Mapping[str, Any]) -> list[str]:
    """A line for what corruptions cost; none where nothing was corrupted.

    Example:
        >>> found = {"clean_error": 0.1, "corruption_error": 0.3, "corruption_error_ratio": 3.0}
        >>> corrupted({**found, "worst_corruption": "blur", "worst_corruption_error": 0.5})
        ['Under corruptions: error 0.300, 3.0 times the clean 0.100; worst under blur: 0.500']
    """
    if not found:
        return []
    ratio = found["corruption_error_ratio"]
    beside_clean = "beside the clean" if ratio is None else f"{ratio:.1f} times the clean"
    worst = f"{found['worst_corruption'].replace('_', ' ')}: {number(found['worst_corruption_error'])}"
    errors = f"error {number(found['corruption_error'])}, {beside_clean} {number(found['clean_error'])}"
    return [f"Under corruptions: {errors}; worst under {worst}"]


def findings_table(findings: Rows) -> Table:
    """The data checks that were asked, a row each; what was found is said where it is not simply in order."""
    table = _table(f"Data checks: {_counts(findings)}", "code", "answer", "planted", "check")
    for finding in findings:
        if finding["status"] != "not applicable":
            found = "" if finding["status"] == "passed" else f". {finding['sentence']}"
            words = finding["title"] + (found or "." * (finding["vouched_for"] is False)) + _word(finding)
            share = finding["share_found"]
            planted = "" if share is None else f"{share:.0%} found"
            table.add_row(finding["code"], coloured(finding["status"]), planted, escape(words))
    asides = [finding["code"] for finding in findings if finding["status"] == "not applicable"]
    if asides:
        table.caption = f"Not asked, because they do not apply: {', '.join(asides)}"
        table.caption_justify = "left"
    return table


def gates_table(gates: Rows, look: str) -> Table:
    """The gates, a row each, with what was observed, its bounds and the limit."""
    table = _table(
        f"Gates: {_counts(gates)} (look {look})", "code", "answer", "gate", "observed", "bounds", "limit"
    )
    for gate in gates:
        bounds = " to ".join(number(gate[side]) for side in ("lower", "upper") if gate[side] is not None)
        row = (gate["code"], coloured(gate["status"]), escape(gate["name"]), number(gate["observed"]), bounds)
        table.add_row(*row, number(gate["limit"]))
    return table


def history_table(entries: Rows) -> Table:
    """The ledger, oldest first, with the beginning of what was said; `--json` has all of it."""
    table = _table("", "entry", "when (UTC)", "by", "what", "version", "look", "in words")
    for entry in entries:
        look = f"{entry['look']} of {entry['looks']}" if entry["looks"] else ""
        look += "" if entry["left"] is None else f", {entry['left']} left"
        row = (str(entry["number"]), entry["at"][:19], entry["by"], entry["kind"].replace("_", " "))
        table.add_row(*row, str(entry["version"] or ""), look, escape(_brief(entry)))
    return table


def items_table(items: Rows) -> Table:
    """What was verified, a row each."""
    table = _table("", "item", "answer", "in words")
    for item in items:
        table.add_row(item["name"], coloured("passed" if item["ok"] else "failed"), escape(item["sentence"]))
    return table


def _brief(entry: Mapping[str, Any]) -> str:
    # What a promotion says was said by the judgement before it, all but that it is the anchor now.
    if entry["kind"] == "promoted":
        return "It becomes the anchor." if entry["anchor"] else ""
    sentence = entry["sentence"] or ""
    first, _, rest = sentence.partition(". ")
    return f"{first}. {rest.partition('. ')[0].rstrip('.')}." if first == "Refused" else first


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    print(json.dumps(document, indent=2, allow_nan=False))


def console() -> Console:
    """Standard output, in colours where a person reads it."""
    from rich.console import Console

    # A file has no width; 80 letters would break the names of gates.
    return Console() if sys.stdout.isatty() else Console(width=120)


def escape(words: str) -> str:
    """Words of the user's, such as ids and names of classes, in which brackets are no markup."""
    return words.replace("[", r"\[")


def coloured(status: str) -> str:
    """A status in its colour."""
    return f"[{_COLOURS[status]}]{status}[/{_COLOURS[status]}]"


def number(value: float | None) -> str:
    """A number as people read it; nothing where nothing was measured."""
    return "" if value is None else f"{value:.3f}"


def _word(finding: Mapping[str, Any]) -> str:
    """What is wrong with the word of a check, if anything is."""
    if finding["vouched_for"] is not False:
        return ""
    told = ", ".join(f"{name} {share:.0%}" for name, share in finding["shares"].items())
    return f" Not vouched for: of the leaks that were planted it found {told}."


def _counts(rows: Rows) -> str:
    statuses = [row["status"] for row in rows]
    order = sorted(dict.fromkeys(statuses), key=list(_COLOURS).index)
    return ", ".join(f"{statuses.count(status)} {status}" for status in order)


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for column in columns:
        words = column in ("check", "gate", "in words")
        table.add_column(
            column,
            justify="right" if column in ("observed", "limit") else "left",
            no_wrap=not words,
            overflow="fold",
        )
    return table
