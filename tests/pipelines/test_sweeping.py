"""Is every training of a sweep done once, as it would be alone, and found again whatever happened?"""

import dataclasses
import errno

import numpy as np
import pytest

from data_checks.errors import PipelineError
from pipelines import sweeping
from pipelines.folds import material_of
from pipelines.grid import grid_of, read_asked
from pipelines.jobs import Job, train_job
from pipelines.sweeping import outcomes_of, schedule, train_all
from wd_train import pool
from wd_train.alone import train_alone
from wd_train.checkpoints import Checkpoints
from wd_train.outcomes import Diverged, Outcome, load_outcome, save_outcome


def planned(locator, **words):
    grid = grid_of(read_asked(locator, words))
    found = {}
    materials = []
    for point in grid.points:
        splits = point.plan.pipeline.splits
        key = str(getattr(splits, "args", splits))
        materials.append(found.setdefault(key, material_of(splits())))
    return grid, materials


def swept(kept, locator, **words):
    grid, materials = planned(locator, **words)
    train_all(schedule(grid, materials, kept))
    return grid, materials, *outcomes_of(grid, materials, kept)


def alone(point, material, seed):
    own = point.plan.pipeline
    parts = (own.model, own.preprocess, material.train, material.validation, own.task)
    return train_alone(*parts, dataclasses.replace(point.training, seed=seed))


def sizes(left):
    return sorted(len(job.members) for job, _ in left.jobs)


def test_every_member_is_what_its_own_training_alone_would_be(tiny, tmp_path):
    grid, materials, outcomes, _ = swept(
        tmp_path, tiny, weight_decay="0,1,5", decay="l2,decoupled", learning_rate="0.01,0.05", seeds=2
    )
    for point, members in zip(grid.points, outcomes, strict=True):
        for seed, outcome in enumerate(members):
            expected = alone(point, materials[0], seed).predictions
            assert np.allclose(outcome.predictions["probs"], expected["probs"], atol=1e-5), point.words


def test_points_that_differ_in_decay_rate_and_seed_alone_train_together(tiny, tmp_path):
    grid, materials = planned(tiny, weight_decay="0,1,5", learning_rate="0.01,0.05", width="3,4", seeds=2)
    assert sizes(schedule(grid, materials, tmp_path)) == [12, 12]


def test_what_does_not_stack_is_a_job_each(tiny, tmp_path):
    grid, materials = planned(tiny, weight_decay="0,1", dropout="0.1,0.2", seeds=2)
    assert sizes(schedule(grid, materials, tmp_path)) == [1] * 8


@pytest.mark.parametrize("axis", ["width", "dropout", "batch_size", "validation", "epochs", "optimizer"])
def test_any_other_axis_makes_another_group(tiny, tmp_path, axis):
    values = {
        "width": "3,4",
        "dropout": "0,0.2",
        "batch_size": "16,32",
        "validation": "150,151",
        "epochs": "2,3",
        "optimizer": "adamw,sgd",
    }
    grid, materials = planned(tiny, weight_decay="0,1", seeds=1, **{axis: values[axis]})
    left = schedule(grid, materials, tmp_path)
    assert len(left.jobs) >= 2
    for _, works in left.jobs:
        assert len({(w.training.epochs, w.training.batch_size, w.training.optimizer) for w in works}) == 1
        assert len({id(work.material) for work in works}) == 1


def test_a_second_sweep_takes_no_training(tiny, tmp_path):
    grid, materials, outcomes, _ = swept(tmp_path, tiny, weight_decay="0,1", seeds=2)
    again = schedule(grid, materials, tmp_path)
    assert (again.jobs, again.kept, again.members) == ((), 4, 4)
    train_all(again)
    second, _ = outcomes_of(grid, materials, tmp_path)
    assert np.array_equal(second[1][1].predictions["probs"], outcomes[1][1].predictions["probs"])


def test_a_wider_sweep_trains_only_what_is_new(tiny, tmp_path):
    swept(tmp_path, tiny, weight_decay="1", seeds=2)  # with a control of its own
    grid, materials = planned(tiny, weight_decay="0,1,2", seeds=3)
    left = schedule(grid, materials, tmp_path)
    assert (left.kept, left.members) == (4, 9)


@pytest.mark.parametrize(
    "change",
    [{"width": "6"}, {"epochs": "4"}, {"learning_rate": "0.02"}, {"validation": "160"}, {"rows": "0.5"},
     {"folds": "3"}, {"seed": "9"}, {"optimizer": "sgd"}],
)  # fmt: skip
def test_another_pipeline_or_other_rows_are_trained_anew(tiny, tmp_path, change):
    swept(tmp_path, tiny, weight_decay="0,1", seeds=1)
    grid, materials = planned(tiny, weight_decay="0,1", seeds=1, **change)
    assert schedule(grid, materials, tmp_path).kept == 0


def test_a_damaged_outcome_is_trained_again(tiny, tmp_path):
    grid, materials, _, _ = swept(tmp_path, tiny, weight_decay="0,1", seeds=2)
    some = sorted(tmp_path.glob("*.npz"))[0]
    some.write_bytes(some.read_bytes()[:100])
    left = schedule(grid, materials, tmp_path)
    assert (left.kept, len(left.jobs)) == (3, 1)
    train_all(left)
    assert load_outcome(some) is not None


def test_progress_counts_what_was_kept_and_reaches_all(tiny, tmp_path):
    swept(tmp_path, tiny, weight_decay="0,1", seeds=1)
    grid, materials = planned(tiny, weight_decay="0,1,2", dropout="0,0.1", seeds=1)
    told = []
    train_all(schedule(grid, materials, tmp_path), told.append)
    assert told == sorted(told)
    assert told[0] > 2
    assert told[-1] == 6


def test_workers_leave_the_same_outcomes_bit_for_bit(tiny, tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    words = {"weight_decay": "0,1", "dropout": "0.2", "seeds": 1}
    *_, expected, _ = swept(here, tiny, **words)
    monkeypatch.setattr(sweeping, "_wants_workers", lambda left: True)
    *_, found, _ = swept(there, tiny, **words)
    for one, other in zip(expected, found, strict=True):
        for a, b in zip(one, other, strict=True):
            assert np.array_equal(a.predictions["probs"], b.predictions["probs"])
            assert [loss[:2] for loss in a.losses] == [loss[:2] for loss in b.losses]


def test_seconds_of_trainings_need_no_workers_and_minutes_do(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(sweeping, "cores", lambda: 2)
    grid, materials = planned(tiny, weight_decay="0,1", dropout="0.2", seeds=2)
    left = schedule(grid, materials, tmp_path)
    assert not sweeping._wants_workers(left)
    long = dataclasses.replace(left, seconds=100 * pool.START_SECONDS)
    assert sweeping._wants_workers(long)
    assert sweeping._wants_workers(dataclasses.replace(left, seconds=float("nan")))
    assert not sweeping._wants_workers(dataclasses.replace(long, jobs=long.jobs[:1]))
    monkeypatch.setattr(sweeping, "cores", lambda: 1)
    assert not sweeping._wants_workers(long)


def test_a_large_stack_is_parted_so_that_a_kill_loses_little(tiny, tmp_path):
    grid, materials = planned(tiny, weight_decay=[0, *range(1, 40)], seeds=2)
    left = schedule(grid, materials, tmp_path)
    assert max(sizes(left)) <= sweeping.MOST_TOGETHER
    assert sum(sizes(left)) == 80


def test_folds_predict_every_row_once_a_seed(tiny, tmp_path):
    words = {"weight_decay": "0,1", "validation": "20", "seeds": 2}
    _, materials, outcomes, validations = swept(tmp_path, tiny, **words)
    assert len(validations[0]) == 100
    assert sorted(validations[0].ids) == sorted([*materials[0].train.ids, *materials[0].validation.ids])
    assert all(len(o.predictions["probs"]) == 100 for members in outcomes for o in members)
    assert len(list(tmp_path.glob("*.npz"))) == 2 * 2 * 5


def test_a_share_of_the_rows_is_trained_on_and_all_are_predicted(tiny, tmp_path):
    grid, _, outcomes, _ = swept(tmp_path, tiny, weight_decay="0,1", rows="0.25,1", seeds=1)
    assert len(grid.points) == 4
    predictions = [members[0].predictions["probs"] for members in outcomes]
    assert all(len(each) == 150 for each in predictions)
    assert not np.allclose(predictions[0], predictions[1])


def test_a_member_that_diverges_is_named_and_the_others_go_on(tiny, tmp_path):
    words = {"weight_decay": "0,1,100", "seeds": 2}
    _, _, outcomes, _ = swept(tmp_path, f"{tiny}:looped", **words)
    assert [[type(member) for member in members] for members in outcomes] == [
        [Outcome, Outcome],
        [Outcome, Outcome],
        [Diverged, Diverged],
    ]
    assert "nan at step 3" in outcomes[2][0].reason


def test_a_loop_of_the_users_own_is_handed_the_decay_and_the_seed(tiny, tmp_path):
    _, _, outcomes, _ = swept(tmp_path, f"{tiny}:looped", weight_decay="0,1", seeds=2)
    probs = [[member.predictions["probs"] for member in members] for members in outcomes]
    assert not np.allclose(probs[0][0], probs[0][1])
    assert not np.allclose(probs[0][0], probs[1][0])


def test_nothing_is_handed_test_rows(tiny, tmp_path, monkeypatch):
    seen = []
    real = sweeping.train_here

    def watched(job, pipelines, material, on_share):
        seen.extend([material.train, material.validation])
        return real(job, pipelines, material, on_share)

    monkeypatch.setattr(sweeping, "train_here", watched)
    grid, *_ = swept(tmp_path, tiny, weight_decay="0,1", seeds=1)
    test = grid.points[0].plan.pipeline.splits().test
    handed = np.concatenate([split.keys for split in seen])
    assert len(handed) == 230
    assert not set(handed) & set(test.keys)


def job_of(grid, materials, kept):
    return schedule(grid, materials, kept).jobs[0][0]


def test_a_job_finds_all_that_it_needs_by_itself(tiny, tmp_path):
    grid, materials = planned(tiny, weight_decay="0,1", seeds=2)
    assert train_job(job_of(grid, materials, tmp_path)) == 4
    assert schedule(grid, materials, tmp_path).kept == 4


def test_a_job_writes_checkpoints_as_often_as_asked(tiny, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(Checkpoints, "_write", lambda self, packed: asked.append(self._every))
    grid, materials = planned(tiny, weight_decay="0,1", seeds=2)
    train_job(dataclasses.replace(job_of(grid, materials, tmp_path), every=7.0))
    assert set(asked) == {7.0}


def test_a_job_says_where_no_checkpoint_can_be_written_and_goes_on(tiny, tmp_path, monkeypatch, caplog):
    def full(self, packed):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Checkpoints, "_write", full)
    grid, materials = planned(tiny, weight_decay="0,1", seeds=2)
    assert train_job(job_of(grid, materials, tmp_path)) == 4
    assert "no checkpoint could be written" in caplog.text


def test_a_mistake_in_the_users_file_is_one_sentence_with_its_line(tiny, tmp_path):
    grid, materials = planned(f"{tiny}:failing", weight_decay="0,1", seeds=1)
    member = sweeping._works(grid, materials, tmp_path)[0][0][0].member
    job = Job(f"{tiny}:failing", (member,), 1.0, 0, 1, materials[0].fingerprints)
    with pytest.raises(
        PipelineError, match=r"could not be trained \(tiny.py, line \d+\): ValueError: no such"
    ):
        train_job(job)


def test_splits_that_give_other_rows_each_time_are_refused(tiny, tmp_path):
    grid, materials = planned(f"{tiny}:moody", seeds=1)
    job = job_of(grid, materials, tmp_path)
    other = dataclasses.replace(job, fingerprints=("a", "b"))
    with pytest.raises(PipelineError, match="gave other rows when they were called again"):
        train_job(other)


def test_a_network_that_does_not_fit_is_told_before_anything_is_trained(tiny, tmp_path):
    grid, materials = planned(f"{tiny}:failing", weight_decay="0,1", seeds=1)
    with pytest.raises(ValueError, match="no such column"):
        schedule(grid, materials, tmp_path)


def test_an_outcome_that_is_gone_is_said(tiny, tmp_path):
    grid, materials, *_ = swept(tmp_path, tiny, weight_decay="0,1", seeds=1)
    some = next(iter(tmp_path.glob("*.npz")))
    save_outcome(some, Diverged("its loss was nan"))
    assert any(isinstance(m[0], Diverged) for m in outcomes_of(grid, materials, tmp_path)[0])
    some.unlink()
    with pytest.raises(sweeping.CannotProceed, match="should hold the outcome of a training"):
        outcomes_of(grid, materials, tmp_path)
