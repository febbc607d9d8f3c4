"""Is an earlier outcome found by what it was trained on, and by nothing else?"""

import dataclasses
import os
import time

from hypothesis import given
from hypothesis import strategies as st

from wd_train.decay import Decay
from wd_train.kept import Kept, ago, remove_abandoned
from wd_train.outcomes import Diverged
from wd_train.training import Training

TRAINING = Training(weight_decay=0.5)


def named(member):
    return f"{hash((member, member.decay))}.npz"


def changed(**values):
    return dataclasses.replace(TRAINING, **values)


def test_what_was_kept_is_found_with_its_age(tmp_path):
    kept = Kept(tmp_path, named)
    assert kept.find(TRAINING) is None
    kept.keep(TRAINING, Diverged("it was"))
    os.utime(kept.path(TRAINING), (time.time() - 100,) * 2)
    outcome, age = kept.find(TRAINING)
    assert outcome == Diverged("it was")
    assert 99 < age < 200


def test_a_name_is_asked_for_a_control_whatever_form_its_decay_would_have_had(tmp_path):
    kept = Kept(tmp_path, named)
    forms = [Decay(), Decay("cautious"), Decay("l2", schedule="early"), Decay(exclude=("head.*",))]
    assert len({kept.path(changed(weight_decay=0.0, decay=form)) for form in forms}) == 1
    assert len({kept.path(changed(decay=form)) for form in forms}) == 4


@given(st.floats(0, 1e9))
def test_an_age_is_told_in_whole_units(seconds):
    count, unit, _ = ago(seconds).split()[-3:]
    lengths = {"hour": 3600, "hours": 3600, "day": 86400, "days": 86400}
    if ago(seconds) == "less than an hour ago":
        assert seconds < 3600
    else:
        assert int(count) * lengths[unit] <= seconds < (int(count) + 1) * lengths[unit]
        assert unit.endswith("s") == (int(count) > 1)


def test_trainings_under_way_are_found_by_their_names_and_removed_when_they_are_kept(tmp_path):
    kept = Kept(tmp_path, named)
    members = [changed(seed=0), changed(seed=1)]
    kept.under_way(members).of(members).save(lambda: {"epoch": 3})
    again = kept.under_way(members)
    assert again.of(members[:1]).load() is None
    assert again.of(members).load() == {"epoch": 3}
    again.clear()
    assert kept.under_way(members).of(members).load() is None


def test_a_checkpoint_is_written_as_often_as_asked_and_told_of_where_it_is_broken(tmp_path):
    told = []
    kept = Kept(tmp_path, named, every=0.0, tell=told.append)
    made = kept.under_way([TRAINING]).of([TRAINING])
    assert made.due()
    assert not Kept(tmp_path, named).under_way([TRAINING]).of([TRAINING]).due()
    made.save(lambda: {"epoch": 3})
    (path,) = tmp_path.rglob("*.checkpoint")
    path.write_bytes(path.read_bytes()[:-1])
    assert kept.under_way([TRAINING]).of([TRAINING]).load() is None
    assert len(told) == 1
    assert "is not used" in told[0]


def test_checkpoints_that_nobody_goes_on_with_are_removed_and_outcomes_stay(tmp_path):
    kept, other = Kept(tmp_path, named), changed(seed=1)
    remove_abandoned(tmp_path, time.time())
    kept.keep(TRAINING, Diverged("it was"))
    for member in (TRAINING, other):
        kept.under_way([member]).of([member]).save(lambda: {"epoch": 3})
    old = time.time() - 15 * 86400
    for path in [kept.path(TRAINING), *tmp_path.rglob("*.checkpoint")][:2]:
        os.utime(path, (old, old))
    remove_abandoned(tmp_path, time.time())
    assert len(list(tmp_path.rglob("*.checkpoint"))) == 1
    assert kept.find(TRAINING) is not None


def test_fresh_outcomes_are_kept_and_not_found(tmp_path):
    Kept(tmp_path, named, fresh=True).keep(changed(), Diverged("at step 3"))
    assert Kept(tmp_path, named, fresh=True).find(changed()) is None
    assert Kept(tmp_path, named).find(changed()) is not None
