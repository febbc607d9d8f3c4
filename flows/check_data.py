"""Can the data of a pipeline be trusted to judge a model? The flow that asks nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from prefect import flow

from data_checks.check import Check
from data_checks.report import DataReport
from data_checks.splits import Split, Splits
from flows.checked import Checked, data_docs
from flows.progress import doing
from flows.settings import read_salt, read_settings
from pipelines.pipeline import Plan, load_pipeline


def load_splits(plan: Plan) -> Splits:
    """The rows of a pipeline."""
    return plan.pipeline.splits()


def check(plan: Plan, splits: Splits, docs: Path, *, again: bool = False) -> DataReport:
    """Ask the default checks, and those of the pipeline besides, once for each content.

    Args:
        plan: the pipeline.
        splits: its rows.
        docs: the folder for the readable pages and for what was found.
        again: ask in any case, for who trusts nobody's folder.
    """
    from data_checks.remembering import check_once

    if _known_classes(plan) is None:
        splits = with_values(splits)
    salt = read_salt(read_settings())
    return check_once(splits, checks_of(plan), docs, salt=salt, code=code_of(plan), again=again)


def code_of(plan: Plan) -> str:
    """The code of the pipeline's own checks, and what it was called with; nothing where it has none.

    The default checks ask of the rows alone, so that another decay does not ask them again.
    """
    if not plan.pipeline.checks:
        return ""
    return json.dumps([plan.code_sha256, plan.as_dict()["arguments"]], sort_keys=True, default=str)


def checks_of(plan: Plan) -> tuple[Check, ...]:
    """What is asked of a pipeline's rows."""
    from data_checks.default_checks import default_checks

    # Besides, not instead: no pipeline file switches the search for leaks off.
    return (*default_checks(_known_classes(plan)), *plan.pipeline.checks)


def _known_classes(plan: Plan) -> int | None:
    classes = getattr(plan.pipeline.task, "classes", None)
    return None if classes is None else len(classes)


def with_values(splits: Splits) -> Splits:
    """The same rows with targets as floats: a task without classes has values, whole numbers or not."""

    def valued(split: Split) -> Split:
        whole = split.targets.dtype.kind in "iu"
        return replace(split, targets=split.targets.astype(np.float64)) if whole else split

    return replace(
        splits,
        train=valued(splits.train),
        validation=valued(splits.validation),
        test=valued(splits.test),
        also={name: valued(split) for name, split in splits.also.items()},
    )


@flow(name="check-data", persist_result=False)
def check_data(pipeline: str, parameters: dict[str, Any] | None = None) -> DataReport:
    """Check the data of `pipeline`, and leave readable findings under `WDGATE_HOME`.

    Raises:
        DataCheckFailed: a check failed, so that the flow run is shown as failed.
    """
    report = check_pipeline(pipeline, parameters).report
    report.raise_if_failed()
    return report


def check_pipeline(
    pipeline: str, parameters: Mapping[str, Any] | None = None, *, readable: bool = False
) -> Checked:
    """The findings about the data of `pipeline`.

    Args:
        pipeline: where it is found.
        parameters: what it is called with.
        readable: rows are named by their own ids, also where they are private: for somebody at this machine.
    """
    plan = load_pipeline(pipeline, parameters or {})
    with doing("Loading the rows"):
        splits = load_splits(plan)
        splits = replace(splits, public=True) if readable else splits
    docs = data_docs(read_settings(), splits)
    with doing("Checking the data"):
        return Checked(check(plan, splits, docs), checks_of(plan), splits, docs)
