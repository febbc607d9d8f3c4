"""The least that a search for copies can be: a hash a row, and a lookup."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from leakage.case import Case, answer_cases


def answer(case: Case) -> dict[str, Any]:
    train, test = (_hashes(rows) for rows in (case.train, case.test))
    return {"rows": np.flatnonzero(np.isin(test, train))}


def _hashes(columns: np.ndarray) -> np.ndarray:
    frame = pd.DataFrame({str(place): column for place, column in enumerate(columns)}, copy=False)
    return pd.util.hash_pandas_object(frame, index=False).to_numpy()


if __name__ == "__main__":
    answer_cases(answer)
