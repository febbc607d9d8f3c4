"""deepchecks: shared samples and shared groups by row; drift and label correlation with their own conditions.

Of pictures and wide arrays it is asked for shared samples alone, one column a pixel.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from deepchecks.tabular import Dataset, checks

from leakage.case import GROUP, TARGET, Case, answer_cases, inputs_of

label_correlation = checks.FeatureLabelCorrelationChange()
DRIFT = {
    "feature drift": checks.FeatureDrift().add_condition_drift_score_less_than(),
    "multivariate drift": checks.MultivariateDrift().add_condition_overall_drift_value_less_than(),
    "label correlation": label_correlation.add_condition_feature_pps_in_train_less_than(),
    "strings": checks.StringMismatchComparison().add_condition_no_new_variants(),
}


def answer(case: Case) -> dict[str, Any]:
    train, test = _dataset(case, "train"), _dataset(case, "test")
    found = checks.TrainTestSamplesMix().run(train, test, with_display=False).value["data"]
    rows = _rows_like(found, test.data)
    if GROUP in test.data:
        # The check itself tells the share of the rows.
        shared = checks.IndexTrainTestLeakage().run(train, test, with_display=False).value > 0
        rows |= set(np.flatnonzero(np.isin(test.data[GROUP], train.data[GROUP]))) if shared else set()
    return {"rows": rows, "alarms": _alarms(train, test) if case.area == "tables" else {}}


def _alarms(train: Dataset, test: Dataset) -> dict[str, list[str]]:
    results = {name: check.run(train, test, with_display=False) for name, check in DRIFT.items()}
    return {name: [] for name, result in results.items() if not result.passed_conditions()}


def _dataset(case: Case, name: str) -> Dataset:
    rows = getattr(case, name)
    if not isinstance(rows, pd.DataFrame):
        wide = np.asarray(rows).T if case.area == "scale" else np.asarray(rows).reshape(len(rows), -1)
        rows = pd.DataFrame(wide, columns=[f"x{i:03}" for i in range(wide.shape[1])])
        rows[TARGET] = case.targets[name]
    texts = [column for column in inputs_of(rows) if not pd.api.types.is_numeric_dtype(rows[column])]
    kind = "regression" if rows[TARGET].dtype.kind == "f" else "multiclass"
    index = GROUP if GROUP in rows else None
    return Dataset(rows, label=TARGET, index_name=index, cat_features=texts, label_type=kind)


def _rows_like(found: pd.DataFrame, test: pd.DataFrame) -> set[int]:
    """Positions of the test rows with the values that are shared: the check itself names ten of them."""
    if not len(found):
        return set()
    columns = list(found.columns)
    numbered = test.reset_index(drop=True).reset_index(names="row_number")
    return set(numbered.merge(found.drop_duplicates(), on=columns)["row_number"])


if __name__ == "__main__":
    answer_cases(answer)
