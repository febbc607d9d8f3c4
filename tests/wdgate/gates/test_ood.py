from dataclasses import replace

import numpy as np
import pytest

from data_checks.errors import PipelineError
from wdgate.evaluation.out_of_distribution import Permuted
from wdgate.evaluation.tasks import Regression
from wdgate.gates.decoys import Bad
from wdgate.gates.gates import Case, at_least, check_gates, no_worse
from wdgate.gates.ood import ood_bounds
from wdgate.gates.proving import prove


def known(evaluated, apart, seed=0, rows=400):
    """Test rows with confidence around .8, others lower by `apart`."""
    generator = np.random.default_rng(seed)
    sure = np.clip(0.8 + 0.1 * generator.normal(size=rows), 0.51, 0.99)
    plain = evaluated(np.ones(rows, bool))
    others = np.clip(0.8 - apart + 0.1 * generator.normal(size=rows), 0.51, 0.99)
    probs = np.full((rows, plain.predictions["probs"].shape[1]), 0.0)
    probs[:, 0], probs[:, 1] = sure, 1 - sure
    return replace(
        plain,
        predictions={**plain.predictions, "probs": probs},
        permuted=Permuted(others, np.arange(rows)),
    )


def test_a_model_that_is_less_sure_of_other_rows_passes_and_its_decoys_do_not(evaluated, task):
    case = Case(known(evaluated, 0.2), None, None, task, 0.05)
    gate = at_least("ood_auroc", 0.8)
    (answer,) = gate.answer(case)
    assert answer.status == "passed"
    assert answer.sentence.startswith(
        "Area under the ROC curve of confidence against rows of permuted cells is 0.9"
    )
    statuses = [decoy.status for decoy in prove([gate], case)]
    assert "refused" in statuses
    assert "passed" not in statuses
    (blind,) = gate.answer(Case(known(evaluated, 0.0), None, None, task, 0.05))
    assert blind.status == "failed"


def test_two_models_are_compared_on_the_same_other_rows(evaluated, task):
    ours, theirs = known(evaluated, 0.05), known(evaluated, 0.3, seed=1)
    worse = no_worse("ood_auroc", 0.05).answer(Case(ours, theirs, None, task, 0.05))[0]
    assert worse.status == "failed"
    assert no_worse("ood_auroc", 0.05).answer(Case(theirs, ours, None, task, 0.05))[0].status == "passed"
    never = replace(theirs, permuted=None)
    assert (
        "not measured" in no_worse("ood_auroc", 0.05).answer(Case(ours, never, None, task, 0.05))[0].sentence
    )


def test_what_was_not_measured_blocks_and_says_why(evaluated, task):
    case = Case(evaluated(np.ones(50, bool)), None, None, task, 0.05)
    (answer,) = at_least("ood_auroc/street signs", 0.8).answer(case)
    assert (answer.status, answer.blocks) == ("not applicable", True)
    assert "there is no further test set street signs" in answer.sentence
    (answer,) = at_least("ood_auroc", 0.8).answer(case)
    assert "no rows can be made of the cells of these" in answer.sentence


def test_only_classes_have_a_confidence(task):
    check_gates([at_least("ood_auroc", 0.8), at_least("ood_auroc/far", 0.8)], task)
    with pytest.raises(PipelineError, match="ood_auroc"):
        check_gates([at_least("ood_auroc", 0.8)], Regression())
    with pytest.raises(PipelineError, match="did you mean ood_auroc"):
        check_gates([at_least("ood_auroc_", 0.8)], task)


def test_a_bad_model_is_as_sure_of_other_rows_as_of_the_test_rows(evaluated, task):
    bad = Bad(known(evaluated, 0.3), task)
    assert ood_bounds("ood_auroc", bad.permuted, 0.05).observed == pytest.approx(0.5)
    assert ood_bounds("ood_auroc", bad.constant, 0.05).observed == pytest.approx(0.5)
