"""What did the gates answer?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

# Far beyond that, a confidence bound lies on the wrong side of what was observed.
LARGEST_ALPHA = 0.25

GateStatus = Literal["passed", "failed", "inconclusive", "not applicable"]
DecoyStatus = Literal["refused", "passed", "not applicable"]

# What speaks for a model is what it was asked, and measured here: clean data is no merit of it, and the
# effect of the decay is the trainer's word.
NO_MERIT = ("WD201", "WD209")


@dataclass(frozen=True)
class GateResult:
    """The answer of one gate.

    Args:
        code: the gate's stable code, such as `WD202`.
        name: what was asked, in a few words, such as `accuracy at least 0.88`.
        status: `inconclusive` means that these rows cannot tell; it does not pass.
        observed: the measured number, or None where nothing was measured.
        lower, upper: the confidence bounds at the gate's alpha; None on a side that was not asked for.
        limit: what the bound was compared with.
        sentence: the answer for a reader who is no specialist.
        required: whether `not applicable` blocks the promotion.
        rows_needed: about how many test rows would settle an inconclusive answer.
    """

    code: str
    name: str
    status: GateStatus
    sentence: str
    observed: float | None = None
    lower: float | None = None
    upper: float | None = None
    limit: float | None = None
    required: bool = True
    rows_needed: int | None = None

    @property
    def blocks(self) -> bool:
        """Whether the model may not be promoted because of this answer."""
        # A list of what lets pass, not of what blocks: a status that nobody thought of blocks.
        return not (self.status == "passed" or (self.status == "not applicable" and not self.required))


@dataclass(frozen=True)
class DecoyResult:
    """What became of a deliberately bad model.

    Args:
        name: the gate that it was made for, and how it was made.
        status: `passed` voids the decision; `not applicable`: these rows allow no such model.
        sentence: the same for a reader who is no specialist.
    """

    name: str
    status: DecoyStatus
    sentence: str


@dataclass(frozen=True)
class GateDecision:
    """All answers, and the verdict that follows from them.

    Args:
        results: one a gate, or more where a gate asks more than one question.
        alpha: the error probability of the whole pipeline, spread over its looks.
        looks: how many judgements on these test rows were planned.
        look: which of them this one is, from 1.
        decoys: what became of the bad models that the gates must refuse.
        superior: whether the model is better than the anchor, `shown`, with the numbers and a sentence;
            None where there is no anchor that it can be compared with.
        expected: what the primary score comes to on new rows, as far as these rows were used before:
            `score`, `observed`, `value`, `error`, `looks_before`, and a sentence, which is empty
            where no other model was judged on them; None where the score was not measured.
    """

    results: tuple[GateResult, ...]
    alpha: float
    looks: int
    look: int
    decoys: tuple[DecoyResult, ...] = ()
    superior: Mapping[str, Any] | None = None
    expected: Mapping[str, Any] | None = None

    @property
    def passed(self) -> bool:
        """Whether something was asked, something passed, and nothing blocks."""
        shown = any(r.status == "passed" for r in self.results if r.code not in NO_MERIT)
        return shown and not any(r.blocks for r in self.results)

    @property
    def sentence(self) -> str:
        """The verdict: what blocks, or that nothing does."""
        used = (self.expected or {}).get("sentence", "")
        blocking = [result.sentence for result in self.results if result.blocks]
        if blocking:
            return " ".join(["Refused.", *blocking, used]).rstrip()
        if not self.passed:
            return "Refused. No gate measured anything."
        passed = [result.sentence for result in self.results if result.status == "passed"]
        aside = list(dict.fromkeys(r.sentence for r in self.results if r.status != "passed"))
        error = f"each lets a model that should fail pass in at most {self.alpha / self.looks:.2%} of cases"
        if any(r.code == "WD209" for r in self.results if r.status == "passed"):
            error += ", but for the trainer's own measurement"
        surpasses = self.superior and self.superior["shown"] is True
        aside += [self.superior["sentence"]] if self.superior and surpasses else []
        all_gates = (
            "The one gate that applies lets"
            if len(passed) == 1
            else f"All {len(passed)} gates that apply let"
        )
        told = [f"{all_gates} it pass; {error}.", *passed, *aside, used]
        return " ".join(told).rstrip()

    def as_dict(self) -> dict[str, Any]:
        """The decision as plain values: what is recorded and printed as JSON."""
        return {
            "passed": self.passed,
            "sentence": self.sentence,
            "alpha": self.alpha,
            "looks": self.looks,
            "look": self.look,
            "gates": [asdict(result) for result in self.results],
            "decoys": [asdict(decoy) for decoy in self.decoys],
            "superior": self.superior and dict(self.superior),
            "expected": self.expected and dict(self.expected),
        }
