"""Do the numbers of a run have the names that people look for?"""

from flows.figures import at_the_end, on_further_sets, under_corruptions
from flows.fitting import _told
from wd_train.costs import Cost


def test_what_a_training_cost_has_a_section_of_its_own():
    cost = Cost(2.0, samples=10, steps=5, memory=7)
    figures = at_the_end({"best_epoch": 3, "cost": _told(cost)})
    assert figures["final/best_epoch"] == 3.0
    assert figures["cost/samples_per_second"] == 5.0
    assert figures["cost/memory"] == 7.0
    assert "cost/joules" not in figures
    assert all(type(value) is float for value in figures.values())


def test_a_training_of_an_older_version_has_no_cost():
    assert at_the_end({"seconds": 1}) == {"final/seconds": 1.0}


def test_the_numbers_of_further_test_sets_have_names_that_mlflow_takes():
    numbers = {"observed": 0.9, "lower": 0.85, "upper": None, "rows": 300}
    assert on_further_sets({"winter #1": {"accuracy": numbers}}) == {
        "also/winter _1/accuracy observed": 0.9,
        "also/winter _1/accuracy lower": 0.85,
    }


def test_what_corruptions_cost_and_what_attacks_do_have_names_of_their_own():
    attacks = {"rows": 64, "clean_accuracy": 0.9, "fgsm_accuracy": 0.4, "sentence": "Under attack."}
    assert at_the_end({"best_epoch": 3, "attacks": attacks}) == {
        "final/best_epoch": 3.0,
        "validation/clean_accuracy": 0.9,
        "validation/fgsm_accuracy": 0.4,
    }
    errors = {"corruption_error": 0.3, "corruption_error_ratio": None, "worst_corruption": "blur"}
    assert under_corruptions(errors) == {"test/corruption_error": 0.3}
