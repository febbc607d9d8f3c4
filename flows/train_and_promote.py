"""Train, then promote: two flows with different rights, run one after the other."""

from __future__ import annotations

from typing import Any

from prefect import flow

from flows.promote import promote
from flows.report import Summary, of_candidate
from flows.train import train


@flow(name="train-and-promote", persist_result=False)
def train_and_promote(
    pipeline: str, parameters: dict[str, Any] | None = None, fresh: bool = False
) -> Summary:
    """Train `pipeline`, again if `fresh`; judge what comes out, and release it if every gate passes."""
    candidate = train(pipeline, parameters, fresh)
    return of_candidate(candidate) if candidate.refused else promote(candidate.run_id)
