"""How is the judgement of somebody else's model shown on a terminal, with or without rich?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from flows import report
from flows.decoys_told import decoys_line

if TYPE_CHECKING:
    from wdgate.judge_any import Judgement
    from wdgate.promotion import Promotion

_COLUMNS = ("code", "answer", "gate", "observed", "bounds", "limit")


@contextmanager
def shown() -> Iterator[None]:
    """Within this context steps are shown on standard error, where rich is installed."""
    if find_spec("rich") is None:
        yield
        return
    from flows.progress import shown_to_a_person

    with shown_to_a_person():
        yield


def tell(found: Judgement | Promotion, model: str) -> None:
    """Print what was found for a person, whether somebody counts it or not."""
    from wdgate.promotion import Promotion

    if isinstance(found, Promotion):
        show_named(found, model)
    else:
        show(found, model)


def show(found: Judgement, model: str) -> None:
    """Print a judgement for a person."""
    document = found.as_dict()
    look = f"{found.decision.look} of {found.decision.looks}, which nobody counts"
    if find_spec("rich") is None:
        print(f"\n{model}: {document['outcome']}\n")
        print("\n".join(plain_table(document["gates"])))
        print("\n".join(["", *told(document), "", "Verdict", document["sentence"]]))
        return
    console = report.console()
    console.print(f"\n[bold]{report.escape(model)}[/bold]: {report.coloured(document['outcome'])}\n")
    if document["findings"]:
        console.print(report.findings_table(document["findings"]))
        console.print()
    console.print(report.gates_table(document["gates"], look))
    for line in ["", *told(document)]:
        console.print(report.escape(line), highlight=False)
    console.print(f"\n[bold]Verdict[/bold]\n{report.escape(document['sentence'])}", highlight=False)


def show_named(found: Promotion, model: str) -> None:
    """Print what became of a model that was judged under a name, for a person."""
    document = found.as_dict()
    decision = found.decision or {}
    version = f" as version {found.version}" if found.outcome == "promoted" else ""
    head = f"{found.model}, {model}"
    if find_spec("rich") is None:
        print(f"\n{head}: {found.outcome}{version}\n")
        words = [decoys_line(decision.get("decoys", ())), "", "Verdict", found.sentence]
        print("\n".join([*plain_table(document["gates"]), *words]))
        return
    console = report.console()
    console.print(f"\n[bold]{report.escape(head)}[/bold]: {report.coloured(found.outcome)}{version}\n")
    if document["findings"]:
        console.print(report.findings_table(document["findings"]))
        console.print()
    if document["gates"]:
        console.print(report.gates_table(document["gates"], f"{decision['look']} of {decision['looks']}"))
        console.print(decoys_line(decision.get("decoys", ())))
    console.print(f"\n[bold]Verdict[/bold]\n{report.escape(found.sentence)}", highlight=False)


def plain_table(gates: Sequence[Mapping[str, Any]]) -> list[str]:
    r"""The lines of the table of gates, without colours.

    Example:
        >>> gate = {"code": "WD202", "status": "passed", "name": "accuracy at least 0.9", "observed": 0.95}
        >>> print("\n".join(plain_table([{**gate, "lower": 0.92, "upper": 0.97, "limit": 0.9}])))
        code   answer  gate                   observed  bounds          limit
        WD202  passed  accuracy at least 0.9  0.950     0.920 to 0.970  0.900
    """
    rows = [_COLUMNS, *(_row(gate) for gate in gates)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_COLUMNS))]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return ["  ".join(cells).rstrip() for cells in padded]


def told(document: Mapping[str, Any]) -> list[str]:
    """A line for the decoys, one for the worst slice of each attribute, and one for each further test set."""
    lines = [line] if (line := decoys_line(document.get("decoys", ()))) else []
    for name, found in document["slices"].items():
        worst = found[0]
        rows = f"{_said(worst)} on {worst['rows']:,} rows"
        which = f"Worst of {len(found)} slices by {name}" if len(found) > 1 else f"Slice by {name}"
        lines.append(f"{which}: {worst['value']}, {rows}")
    for name, numbers in document["also"].items():
        first, others = next(iter(numbers.items()))
        lines.append(f"On {name}: {first} {_said(others)} on {others['rows']:,} rows")
    return lines


def _row(gate: Mapping[str, Any]) -> tuple[str, ...]:
    bounds = " to ".join(report.number(gate[side]) for side in ("lower", "upper") if gate[side] is not None)
    numbers = (report.number(gate["observed"]), bounds, report.number(gate["limit"]))
    return (gate["code"], gate["status"], gate["name"], *numbers)


def _said(numbers: Mapping[str, Any]) -> str:
    if numbers["observed"] is None or numbers["lower"] is None or numbers["upper"] is None:
        return "not determined"
    observed, lower, upper = (report.number(numbers[side]) for side in ("observed", "lower", "upper"))
    return f"{observed} ({lower} to {upper})"
