"""What does Great Expectations say of the evidence, taken literally?

Four of its habits open a gate by accident: an empty suite and an empty frame are a success, values that are
missing are not counted, and an exception is one more result. So the only thing that is believed here is a
result that says how many rows it looked at, and that number must be the number of rows it was handed.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_checks.check import Check

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Judgement:
    """What one expectation came to.

    Args:
        met: whether no more rows offend than are tolerated.
        offending: how many rows offend.
        error: why the result cannot be believed; empty where it can.
    """

    met: bool
    offending: int
    error: str = ""


def judge_evidence(
    table: pd.DataFrame, checks: Sequence[Check], *, public: bool, docs: Path | None = None
) -> dict[str, Judgement]:
    """Judge the column of each check by one expectation, in one checkpoint.

    Args:
        table: the evidence, a row each of all splits.
        checks: what is judged; a check that has no result is not in what comes back.
        public: whether failing rows may be listed in the Data Docs.
        docs: the folder for the Data Docs; None writes nothing.

    Returns:
        A judgement by code.
    """
    if not checks:
        return {}
    context, checkpoint = _prepare(checks, public=public, docs=docs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about its own deprecations, which a user can do nothing about
        run = checkpoint.run(batch_parameters={"dataframe": _plain(table, checks, public=public)})
    if docs is not None:
        context.build_data_docs()
        _lighten(docs)
    results = [result for validation in run.run_results.values() for result in validation.results]
    by_code = {result.expectation_config.meta["code"]: result for result in results}
    return {
        check.code: _believe(by_code[check.code], check, table) for check in checks if check.code in by_code
    }


def _lighten(docs: Path) -> None:
    """Remove what no page of ours needs: fonts that the browser has others for, and films that teach."""
    shutil.rmtree(docs / "static" / "fonts", ignore_errors=True)
    for film in (docs / "static").rglob("*.gif"):
        film.unlink()


def _plain(table: pd.DataFrame, checks: Sequence[Check], *, public: bool) -> pd.DataFrame:
    """Names and judged columns only: what an expectation does not need does not reach the Data Docs."""
    names = ["split", "id"] if public else ["split"]
    columns = [*names, *dict.fromkeys(check.column for check in checks if check.column in table)]
    return table[columns]


def _believe(result: Any, check: Check, table: pd.DataFrame) -> Judgement:
    """The result as a judgement, unless anything about it is odd."""
    message = _exception(result)
    counts = result.result or {}
    asked = int((table["split"] == check.asked_of).sum()) if check.asked_of else len(table)
    looked_at = counts.get("element_count", 0) - counts.get("missing_count", 0)
    if message or not asked or looked_at != asked or result.success not in (True, False):
        reason = message or f"{looked_at:,} rows were looked at, of {asked:,}"
        return Judgement(met=False, offending=0, error=reason)
    return Judgement(met=bool(result.success), offending=int(counts["unexpected_count"]))


def _exception(result: Any) -> str:
    """The message of an exception, whether the result holds one or a dictionary of them by metric."""
    info = result.exception_info or {}
    entries = [info] if "raised_exception" in info else list(info.values())
    messages = [str(entry["exception_message"]) for entry in entries if entry["raised_exception"]]
    return messages[0] if messages else ""


def _prepare(checks: Sequence[Check], *, public: bool, docs: Path | None) -> tuple[Any, Any]:
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral", project_config=_settings(docs))
    batch = (
        context.data_sources.add_pandas("splits")
        .add_dataframe_asset("evidence")
        .add_batch_definition_whole_dataframe("every row")
    )
    suite = context.suites.add(gx.ExpectationSuite(name="data checks"))
    for check in checks:
        suite.add_expectation(_expectation(check))
    validation = gx.ValidationDefinition(name="data checks", data=batch, suite=suite)
    context.validation_definitions.add(validation)
    # COMPLETE costs no more than BOOLEAN_ONLY, but names rows; BASIC counts them, which is all we need.
    shown = {"result_format": "COMPLETE", "unexpected_index_column_names": ["split", "id"]}
    checkpoint = gx.Checkpoint(
        name="data checks",
        validation_definitions=[validation],
        result_format=shown if public else {"result_format": "BASIC"},
    )
    return context, context.checkpoints.add(checkpoint)


def _expectation(check: Check) -> Any:
    from great_expectations.expectations.metadata_types import FailureSeverity
    from great_expectations.expectations.row_conditions import Column

    from data_checks.own_expectations import ExpectRowsToBeClean, ExpectSplitsToBeClean

    common: dict[str, Any] = {
        "column": check.column,
        "question": check.question,
        "severity": FailureSeverity.CRITICAL if check.severity == "fail" else FailureSeverity.WARNING,
        "row_condition": Column("split") == check.asked_of if check.asked_of else None,
        "meta": {"code": check.code},
        "notes": f"{check.code} {check.title}",
    }
    if check.per_row or check.tolerated:
        return ExpectRowsToBeClean(mostly=1 - check.tolerated, **common)
    return ExpectSplitsToBeClean(**common)


def _settings(docs: Path | None) -> Any:
    """In memory, without analytics and progress bars, with one site of Data Docs at most."""
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    site = {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(docs and docs.absolute()),
        },
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }
    return DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(),
        data_docs_sites={} if docs is None else {"data_docs": site},
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
