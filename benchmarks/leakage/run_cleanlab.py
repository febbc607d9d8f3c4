"""cleanlab's Datalab, as it comes: near duplicates among the pooled rows, in sets with rows of both."""

from __future__ import annotations

from typing import Any

import numpy as np
from cleanlab import Datalab

from leakage.case import Case, answer_cases
from leakage.matrix import as_matrix, as_topics


def answer(case: Case) -> dict[str, Any]:
    train, test = as_topics(case) if case.area == "text" else as_matrix(case)
    pooled = np.vstack([train, test])
    lab = Datalab({"row": list(range(len(pooled)))}, verbosity=0)
    lab.find_issues(features=pooled, issue_types={"near_duplicate": {}})
    sets = lab.get_info("near_duplicate")["near_duplicate_sets"]
    first = len(train)
    return {"rows": [row for row in range(len(test)) if (np.asarray(sets[first + row]) < first).any()]}


if __name__ == "__main__":
    answer_cases(answer)
