"""What do our checks look like as expectations of Great Expectations, with measures of their own?

A row expectation asks each row, a split expectation each split. Importing this file registers both.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pandas as pd
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine.pandas_execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import (
    BatchExpectation,
    ColumnMapExpectation,
    render_suite_parameter_string,
)
from great_expectations.expectations.metrics.map_metric_provider.column_condition_partial import (
    column_condition_partial,
)
from great_expectations.expectations.metrics.map_metric_provider.column_map_metric_provider import (
    ColumnMapMetricProvider,
)
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.render.components import LegacyRendererType, RenderedStringTemplateContent
from great_expectations.render.renderer.renderer import renderer


class RowsAreClean(ColumnMapMetricProvider):
    """True where a row's evidence is false or at most 0."""

    condition_metric_name = "column_values.clean"

    # The decorators make class methods of these.
    @column_condition_partial(engine=PandasExecutionEngine)
    def _pandas(cls, column: pd.Series, **_: Any) -> pd.Series:  # noqa: N805
        return column <= 0


class OffendingSplits(TableMetricProvider):
    """How many rows were looked at, are missing, and offend, and of which splits those are."""

    metric_name = "table.offending_splits"
    value_keys = ("column",)

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,  # noqa: N805
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict[str, Any],
        metric_value_kwargs: dict[str, Any],
        **_: Any,
    ) -> dict[str, Any]:
        table, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, MetricDomainTypes.TABLE)
        column = table[metric_value_kwargs["column"]].to_numpy()
        offends = column > 0
        splits = table["split"].to_numpy()[offends]
        return {
            "rows": len(column),
            "missing": int(pd.isna(column).sum()),
            "offending": int(offends.sum()),
            "splits": {str(name): int((splits == name).sum()) for name in np.unique(splits.astype(str))},
        }


def _in_words(configuration: Any) -> list[RenderedStringTemplateContent]:
    template = {"template": "$question", "params": {"question": configuration.kwargs["question"]}}
    return [RenderedStringTemplateContent(content_block_type="string_template", string_template=template)]


class ExpectRowsToBeClean(ColumnMapExpectation):
    """Expect that no row's evidence is true or above 0, but for a share that is tolerated."""

    map_metric: ClassVar[str] = "column_values.clean"
    success_keys: ClassVar[tuple[str, ...]] = ("mostly",)
    question: str

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    @render_suite_parameter_string
    def _prescriptive_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> list[RenderedStringTemplateContent]:
        return _in_words(configuration)


class ExpectSplitsToBeClean(BatchExpectation):
    """Expect that no split's evidence is true or above 0."""

    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.offending_splits",)
    success_keys: ClassVar[tuple[str, ...]] = ("column",)
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    domain_keys: ClassVar[tuple[str, ...]] = ("row_condition", "condition_parser")
    column: str
    question: str
    row_condition: Any = None
    condition_parser: Any = None

    def _validate(
        self, metrics: dict[str, Any], runtime_configuration: Any = None, execution_engine: Any = None
    ) -> dict[str, Any]:
        found = metrics["table.offending_splits"]
        result = {
            "observed_value": found["splits"] or "none",
            "element_count": found["rows"],
            "missing_count": found["missing"],
            "unexpected_count": found["offending"],
            # Data Docs cannot say a count without it.
            "unexpected_percent": 100 * found["offending"] / max(1, found["rows"]),
        }
        clean = found["rows"] > 0 and not found["offending"] and not found["missing"]
        return {"success": clean, "result": result}

    @classmethod
    @renderer(renderer_type=LegacyRendererType.PRESCRIPTIVE)
    @render_suite_parameter_string
    def _prescriptive_renderer(
        cls, configuration: Any = None, result: Any = None, runtime_configuration: Any = None
    ) -> list[RenderedStringTemplateContent]:
        return _in_words(configuration)
