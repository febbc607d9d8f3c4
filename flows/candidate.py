"""What does the trainer hand over? The id of a run, and what a person is told about it; no arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Candidate:
    """A finished training, or one that the data checks stopped.

    Nothing here is evidence: the promoter loads the rows, checks them and predicts them itself.

    Args:
        run_id: the run in MLflow.
        model: the name of the registered model that it wants to be.
        locator: where its pipeline is found.
        arguments: what its pipeline was called with.
        data: the trainer's own data report, as `DataReport.as_dict` gives it.
        onnx_sha256: hash of the exported file; None when the data checks stopped the run.
        training: seconds, epochs and the best epoch.
        decay: the coefficient, the tensors that it acts on, and how much it can shrink them.
        effect: what the decay did, measured against none.
        export: inputs, outputs, size, parity, latency and temperature of the exported file.
    """

    run_id: str
    model: str
    locator: str
    arguments: Mapping[str, Any]
    data: Mapping[str, Any]
    onnx_sha256: str | None = None
    training: Mapping[str, Any] = field(default_factory=dict)
    decay: Mapping[str, Any] = field(default_factory=dict)
    effect: Mapping[str, Any] = field(default_factory=dict)
    export: Mapping[str, Any] = field(default_factory=dict)

    @property
    def refused(self) -> bool:
        """Whether the data checks stopped it before any training."""
        return self.onnx_sha256 is None

    def as_dict(self) -> dict[str, Any]:
        """The candidate as plain values: what is recorded with the run."""
        return asdict(self)
