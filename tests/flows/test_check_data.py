"""Where findings about a pipeline's rows are kept, and what asks them again; no server is started."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from data_checks.splits import Split, Splits
from flows.check_data import code_of
from flows.checked import data_docs
from pipelines.pipeline import load_pipeline


def test_pages_with_raw_ids_and_pages_of_private_rows_never_share_a_folder(tmp_path):
    rows = Split(np.eye(9), np.arange(9) % 2)
    private = Splits(rows, rows, rows)
    kept = {
        data_docs(SimpleNamespace(home=tmp_path), splits)
        for splits in (private, replace(private, public=True))
    }
    assert len(kept) == 2
    assert not any(one in other.parents for one in kept for other in kept)


def test_a_pipeline_that_is_called_otherwise_is_other_code():
    plan = load_pipeline("pipelines.digits", {})
    name, value = next(
        (name, value) for name, value in plan.arguments.items() if isinstance(value, int | float)
    )
    other = replace(plan, arguments={**plan.arguments, name: value + 1})
    assert code_of(plan) == code_of(load_pipeline("pipelines.digits", {})) != code_of(other)
    assert code_of(plan) != code_of(replace(plan, code_sha256="0"))
