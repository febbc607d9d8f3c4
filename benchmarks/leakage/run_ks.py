"""A two-sample Kolmogorov-Smirnov test a column, each at .05, as drift is commonly looked for."""

from __future__ import annotations

from typing import Any

import pandas as pd
from scipy.stats import ks_2samp

from leakage.case import Case, answer_cases, inputs_of

ALPHA = 0.05


def answer(case: Case) -> dict[str, Any]:
    train = inputs_of(case.train)
    columns = [name for name in train if pd.api.types.is_numeric_dtype(train[name])]
    test = case.test[columns].apply(pd.to_numeric)
    shifted = [name for name in columns if ks_2samp(train[name], test[name]).pvalue < ALPHA]
    return {"alarms": {"shift": shifted} if shifted else {}}


if __name__ == "__main__":
    answer_cases(answer)
