"""Does a run find what a sweep has trained, and nothing else?"""

import dataclasses

import pytest

from pipelines.folds import material_of
from pipelines.grid import grid_of, parts_of, read_asked
from pipelines.keeping import outcome_name
from pipelines.pipeline import load_pipeline
from pipelines.sweeping import schedule
from wd_train.decay import Decay
from wd_train.training import Training

TRAINING = Training(weight_decay=0.5)
PRINTS = ("train", "validation")


def name(training=TRAINING, parts="parts", prints=PRINTS, **more):
    return outcome_name(parts, prints, training, {}, **more)


def changed(**values):
    return dataclasses.replace(TRAINING, **values)


def own(parameter, step):
    return parameter


def another(parameter, step):
    return parameter * 2


OTHERS = {
    "coefficient": name(changed(weight_decay=0.4)),
    "seed": name(changed(seed=1)),
    "epochs": name(changed(epochs=19)),
    "form": name(changed(decay=Decay("cautious"))),
    "pattern": name(changed(decay=Decay(exclude=("head.*",)))),
    "own form": name(changed(decay=Decay(own))),
    "another own form": name(changed(decay=Decay(another))),
    "parts": name(parts="others"),
    "rows": name(prints=("train", "others")),
    "share": name(rows=0.5),
    "fold": name(fold=1, folds=5),
    "folds": name(folds=5),
}


@pytest.mark.parametrize("what", OTHERS)
def test_everything_that_decides_over_an_outcome_makes_another_name(what):
    names = [name(), *OTHERS.values()]
    assert names.count(OTHERS[what]) == 1


def test_the_same_has_the_same_name():
    assert name(changed()) == name(rows=1) == name()


def test_a_run_asks_for_the_names_under_which_a_sweep_keeps(tmp_path):
    asked = read_asked("pipelines.digits", {"weight_decay": "0,0.3", "seeds": "2", "folds": "1"})
    grid = grid_of(asked)
    plan = load_pipeline("pipelines.digits", {"weight_decay": 0.7})
    splits = plan.pipeline.splits()
    jobs = schedule(grid, [material_of(splits)] * len(grid.points), tmp_path).jobs
    swept = {member.path.name for job, _ in jobs for member in job.members}
    prints = (splits.train.fingerprint, splits.validation.fingerprint)
    of_run = [
        outcome_name(
            parts_of(plan),
            prints,
            dataclasses.replace(plan.pipeline.training, seed=seed, weight_decay=coefficient),
            plan.arguments,
        )
        for seed in (0, 1)
        for coefficient in (0.0, 0.3)
    ]
    assert swept == set(of_run)
