from dataclasses import replace

import numpy as np

from data_checks.check import Check, Plant
from data_checks.default_checks import default_checks
from data_checks.evidence.table import ByRows, by_split
from data_checks.self_test import vouch
from data_checks.splits import Split, Splits


def splits_of(rows=90, **columns):
    rng = np.random.default_rng(0)
    whole = Split(rng.normal(size=(rows, 6)), np.arange(rows) % 2, **columns)
    return Splits(*[whole.take(np.arange(start, rows, 3)) for start in range(3)])


def planted_checks():
    return [check for check in default_checks() if check.plants]


def test_every_kind_of_leak_that_is_planted_is_found():
    splits = splits_of(groups=np.array([f"g{i}" for i in range(90)]), times=np.arange(90.0))
    words = vouch(splits, [check for check in planted_checks() if not check.applies(splits)])
    assert {"DC110", "DC111", "DC112", "DC120", "DC130", "DC140"} <= set(words)
    missed = {
        (code, name): share for code in words for name, (enough, share) in words[code].items() if not enough
    }
    assert not missed


def test_a_check_that_sees_nothing_is_not_vouched_for():
    def blind(splits):
        return {"copied": by_split(splits, lambda name, split: False)}

    copies = next(check for check in default_checks() if check.code == "DC110")
    dull = Check("OWN001", "Blind", "Does it see?", "copied", blind, plants=copies.plants)
    assert vouch(splits_of(), [dull]) == {"OWN001": {"copies": (False, 0.0)}}


def test_checks_without_plants_and_plants_that_cannot_be_made_are_not_tried():
    assert vouch(splits_of(), [check for check in default_checks() if not check.plants]) == {}
    copies = next(check for check in default_checks() if check.code == "DC110")
    assert vouch(splits_of(), [replace(copies, plants=(Plant("none", lambda splits, rng: None),))]) == {}


def test_low_dimensional_rows_are_said_to_hide_near_copies():
    rng = np.random.default_rng(0)
    line = rng.normal(size=(3000, 1)) @ rng.normal(size=(1, 6))
    parts = [Split(line[start::3], np.zeros(1000, int)) for start in range(3)]
    near = next(check for check in planted_checks() if check.code == "DC120")
    assert not all(enough for enough, _ in vouch(Splits(*parts), [near])["DC120"].values())


def test_a_measure_that_goes_row_by_row_is_not_fitted_again_for_its_plants():
    fitted = []

    def fit(splits):
        fitted.append(splits)
        return splits.train.keys

    def rows(keys, part):
        return {"seen": np.isin(part.rows.keys, keys) & (part.name == "test")}

    copies = next(check for check in default_checks() if check.code == "DC110")
    check = Check("OWN001", "Seen", "Is it new?", "seen", ByRows(fit, rows), plants=copies.plants)
    splits = splits_of()
    facts = {check.measure: check.measure(splits).facts}
    assert vouch(splits, [check], facts) == {"OWN001": {"copies": (True, 1.0)}}
    assert len(fitted) == 1


def test_the_rows_themselves_are_left_as_they_were():
    splits = splits_of()
    before = splits.fingerprints
    vouch(splits, [check for check in planted_checks() if not check.applies(splits)])
    assert Splits(*[Split(p.inputs, p.targets) for p in splits.named().values()]).fingerprints == before
