"""Do the shipped pipelines show what their gates ask for, on the real data?"""

import dataclasses

import numpy as np
import pytest
import torch

from data_checks.checks import check_splits
from data_checks.splits import read_inputs
from pipelines.pipeline import load_pipeline
from wd_train.network import scores_of
from wd_train.rows import as_tensors
from wd_train.training import train


def trained(name, **arguments):
    pipeline = load_pipeline(
        f"pipelines.{name}", {key: str(value) for key, value in arguments.items()}
    ).pipeline
    splits = pipeline.splits()
    training = dataclasses.replace(pipeline.training, device="cpu")
    model = train(
        pipeline.model, pipeline.preprocess, splits.train, splits.validation, pipeline.task, training
    )
    test = splits.test
    with torch.no_grad():
        outputs = model.network(as_tensors(read_inputs(test.inputs, np.arange(len(test)))))
    scores = scores_of(pipeline.task, outputs, torch.tensor(test.targets))
    return model, {name: float(values.mean()) for name, values in scores.items()}, test


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("digits", (897, 200, 700)), ("modular_addition", (673, 96, 192)), ("diabetes", (267, 47, 128))],
)
def test_the_rows_pass_their_own_checks(name, sizes):
    pipeline = load_pipeline(f"pipelines.{name}").pipeline
    splits = pipeline.splits()
    assert tuple(len(part) for part in splits.named().values()) == sizes
    assert splits.public
    classes = getattr(pipeline.task, "classes", None)
    report = check_splits(splits, pipeline.checks, self_test=False, classes=classes and len(classes))
    assert report.passed, report.sentence


def test_digits_rows_are_in_file_order():
    splits = load_pipeline("pipelines.digits").pipeline.splits()
    assert np.concatenate([part.ids for part in splits.named().values()]).tolist() == list(range(1797))


def test_digits_are_read_well_and_not_with_far_too_much_decay():
    _, scores, _ = trained("digits", seed=1)
    assert scores["accuracy"] >= 0.92
    assert abs(scores["confidence_gap"]) <= 0.03
    _, scores, _ = trained("digits", weight_decay=30)
    assert 0.5 <= scores["accuracy"] <= 0.7


def test_decay_alone_decides_whether_addition_is_understood():
    model, scores, _ = trained("modular_addition")
    assert model.train_score == 1
    assert scores["accuracy"] >= 0.98
    model, scores, _ = trained("modular_addition", weight_decay=0)
    assert model.train_score == 1
    assert scores["accuracy"] <= 0.03


def test_diabetes_is_predicted_better_than_by_a_constant():
    _, scores, test = trained("diabetes")
    assert scores["squared_error"] < 0.6 * test.targets.var()
