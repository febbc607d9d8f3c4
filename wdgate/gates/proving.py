"""Do the gates refuse what they must refuse, on these very rows?"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from wdgate.gates.decoys import Decoy
from wdgate.gates.gates import Case, Gate
from wdgate.gates.results import DecoyResult, GateResult

CODE = "WD213"


def prove(gates: Iterable[Gate], case: Case, onnx: bytes | None = None) -> tuple[DecoyResult, ...]:
    """What became of every gate's decoys, and of the file with one flipped bit.

    Nothing is predicted, and no look is spent: a decoy is made of predictions that are there.

    Args:
        gates: those that were asked.
        case: what they were asked about.
        onnx: the file that predicted; None where nobody handed it over.
    """
    found = [_proved(gate, decoy) for gate in gates for decoy in _brought(gate, case)]
    return (*found, flipped_bit(onnx, case.evaluation.onnx_sha256))


def voided(decoys: Iterable[DecoyResult]) -> list[GateResult]:
    """The answer that voids a decision (WD213): a decoy passed. Nothing where none did."""
    passed = [decoy for decoy in decoys if decoy.status == "passed"]
    if not passed:
        return []
    sentence = f"The gates cannot be believed on these rows: {passed[0].sentence}"
    return [GateResult(CODE, "the gates refuse decoys", "failed", sentence)]


def flipped_bit(onnx: bytes | None, sha256: str) -> DecoyResult:
    """Whether the file's hash, by which it is promoted and served, tells it from one with one flipped bit."""
    name = "the file with one flipped bit"
    if not onnx:
        return DecoyResult(name, "not applicable", "The file was not handed over: no bit of it was flipped.")
    middle, view = len(onnx) // 2, memoryview(onnx)
    # In parts, so that a large file is not copied.
    digest = hashlib.sha256(view[:middle])
    digest.update(bytes([view[middle] ^ 1]))
    digest.update(view[middle + 1 :])
    if hashlib.sha256(onnx).hexdigest() != sha256:
        return DecoyResult(name, "passed", "The file that was judged is not the one that was handed over.")
    if digest.hexdigest() == sha256:
        return DecoyResult(name, "passed", "The file's hash does not tell that one bit of it was flipped.")
    return DecoyResult(name, "refused", "A file with one flipped bit has another hash, and is not this one.")


def _brought(gate: Gate, case: Case) -> Iterable[Decoy]:
    decoys = getattr(gate, "decoys", None)
    if decoys is None:
        return (Decoy("its own decoy", None, "it is a gate of the pipeline's own, and brings none"),)
    found: Iterable[Decoy] = decoys(case)
    return found


def _proved(gate: Gate, decoy: Decoy) -> DecoyResult:
    asked = str(gate.as_dict().get("gate", type(gate).__name__))
    name = f"{asked}: {decoy.name}"
    if decoy.case is None:
        return DecoyResult(name, "not applicable", f"There is no such model for {asked}: {decoy.reason}.")
    if any(answer.status == "passed" for answer in gate.answer(decoy.case)):
        sentence = f"The gate {asked} let a model pass that it must refuse: {decoy.name}."
        return DecoyResult(name, "passed", sentence)
    return DecoyResult(name, "refused", f"The gate {asked} refused a model with {decoy.name}.")
