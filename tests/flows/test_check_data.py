"""Where findings about a pipeline's rows are kept, and what asks them again; no server is started."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from data_checks.default_checks import default_checks
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


def test_checks_of_ones_own_are_asked_again_where_the_pipeline_is_called_otherwise():
    plan = load_pipeline("pipelines.digits", {})
    plan = replace(plan, pipeline=replace(plan.pipeline, checks=default_checks(10)[:1]))
    other = replace(plan, arguments={**plan.arguments, "epochs": 61})
    assert code_of(plan) == code_of(replace(plan)) != code_of(other)
    assert code_of(plan) != code_of(replace(plan, code_sha256="0"))


def test_the_default_checks_are_not_asked_again_for_another_decay():
    plans = [load_pipeline("pipelines.digits", {"weight_decay": value}) for value in (0, 1)]
    assert code_of(plans[0]) == code_of(plans[1])
