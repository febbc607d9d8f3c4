"""Can the data of a pipeline be trusted to judge a model? The flow that asks nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from prefect import flow

from data_checks.report import DataReport
from data_checks.splits import Split, Splits
from flows.progress import doing
from flows.settings import Settings, read_salt, read_settings
from pipelines.pipeline import Plan, load_pipeline


def load_splits(plan: Plan) -> Splits:
    """The rows of a pipeline."""
    return plan.pipeline.splits()


def check(plan: Plan, splits: Splits, docs: Path) -> DataReport:
    """Ask the default checks, and those of the pipeline besides; readable pages go to the folder `docs`."""
    from data_checks.checks import check_splits
    from data_checks.default_checks import default_checks

    classes = getattr(plan.pipeline.task, "classes", None)
    known = len(classes) if classes is not None else None
    if known is None:
        splits = with_values(splits)
    # Besides, not instead: no pipeline file switches the search for leaks off.
    checks = (*default_checks(known), *plan.pipeline.checks)
    return check_splits(splits, checks, salt=read_salt(read_settings()), docs=docs)


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


def data_docs(settings: Settings, splits: Splits) -> Path:
    """The folder that the readable findings about these rows are kept in."""
    return settings.home / "data_docs" / splits.test.fingerprint


@flow(name="check-data", persist_result=False)
def check_data(pipeline: str, parameters: dict[str, Any] | None = None) -> DataReport:
    """Check the data of `pipeline`, and leave readable findings under `WDGATE_HOME`.

    Raises:
        DataCheckFailed: a check failed, so that the flow run is shown as failed.
    """
    report = check_pipeline(pipeline, parameters)
    report.raise_if_failed()
    return report


def check_pipeline(
    pipeline: str, parameters: Mapping[str, Any] | None = None, *, readable: bool = False
) -> DataReport:
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
    with doing("Checking the data"):
        return check(plan, splits, data_docs(read_settings(), splits))


def check_files(
    settings: Settings, train: Path, test: Path, target: str, group: str | None, time: str | None
) -> DataReport:
    """The findings about two tables, of which one is to judge models that are fitted on the other.

    Args:
        settings: where the readable findings are kept.
        train: Parquet, CSV or npz.
        test: the same.
        target: the column that is predicted.
        group: the column that says which rows belong together.
        time: the column that says when a row happened.
    """
    from data_checks.checks import check_splits
    from data_checks.readers import read_table

    with doing("Reading the files"):
        fitted, judged = (read_table(path, target, group=group, time=time) for path in (train, test))
        nothing = fitted.take(np.arange(0))
        # Nothing of it leaves this machine, so that rows are named by their numbers.
        splits = Splits(fitted, nothing, judged, public=True, source=f"{train}, {test}")
    with doing("Checking the data"):
        return check_splits(
            splits, salt=read_salt(settings), docs=data_docs(settings, splits), needs_validation=False
        )
