"""faiss, an exact flat index: the nearest train row, and one fixed threshold.

Pictures: a cosine of at least .95, as deduplication of embeddings is commonly set. Tables: at most .05
standard deviations a value.
"""

from __future__ import annotations

from typing import Any

import faiss
import numpy as np

from leakage.case import Case, answer_cases
from leakage.matrix import as_matrix

COSINE, DEVIATIONS = 0.95, 0.05


def answer(case: Case) -> dict[str, Any]:
    train, test = (np.ascontiguousarray(part) for part in as_matrix(case))
    width = train.shape[1]
    if case.area == "pictures":
        faiss.normalize_L2(train)
        faiss.normalize_L2(test)
    index = faiss.IndexFlatIP(width) if case.area == "pictures" else faiss.IndexFlatL2(width)
    index.add(train)
    nearest = index.search(test, 1)[0][:, 0]
    flagged = nearest >= COSINE if case.area == "pictures" else nearest <= DEVIATIONS**2 * width
    return {"rows": np.flatnonzero(flagged)}


if __name__ == "__main__":
    answer_cases(answer)
