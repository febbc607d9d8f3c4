"""Is an earlier outcome found by what it was trained on, and by nothing else?"""

import dataclasses
import os
import time

from hypothesis import given
from hypothesis import strategies as st

from wd_train.decay import Decay
from wd_train.kept import Kept, ago
from wd_train.outcomes import Diverged
from wd_train.training import Training

TRAINING = Training(weight_decay=0.5)


def own(parameter, step):
    return parameter


def another(parameter, step):
    return parameter


def changed(**values):
    return dataclasses.replace(TRAINING, **values)


def test_what_was_kept_is_found_with_its_age(tmp_path):
    kept = Kept(tmp_path, "key")
    assert kept.find(TRAINING) is None
    kept.keep(TRAINING, Diverged("it was"))
    os.utime(kept.path(TRAINING), (time.time() - 100,) * 2)
    outcome, age = kept.find(TRAINING)
    assert outcome == Diverged("it was")
    assert 99 < age < 200


def test_every_value_of_a_training_makes_another_file(tmp_path):
    others = [
        changed(weight_decay=0.4),
        changed(seed=1),
        changed(epochs=19),
        changed(decay=Decay("cautious")),
        changed(decay=Decay(exclude=("head.*",))),
        changed(decay=Decay(own)),
        changed(decay=Decay(another)),
    ]
    places = {Kept(tmp_path, "key").path(training) for training in [TRAINING, *others]}
    places |= {Kept(tmp_path, "other").path(TRAINING), Kept(tmp_path, "key", rows=0.5).path(TRAINING)}
    assert len(places) == len(others) + 3


def test_without_a_coefficient_the_form_of_the_decay_makes_no_difference(tmp_path):
    kept = Kept(tmp_path, "key")
    forms = [Decay(), Decay("cautious"), Decay("l2", schedule="early"), Decay(own)]
    assert len({kept.path(changed(weight_decay=0.0, decay=form)) for form in forms}) == 1


@given(st.floats(0, 1e9))
def test_an_age_is_told_in_whole_units(seconds):
    count, unit, _ = ago(seconds).split()[-3:]
    lengths = {"hour": 3600, "hours": 3600, "day": 86400, "days": 86400}
    if ago(seconds) == "less than an hour ago":
        assert seconds < 3600
    else:
        assert int(count) * lengths[unit] <= seconds < (int(count) + 1) * lengths[unit]
        assert unit.endswith("s") == (int(count) > 1)
