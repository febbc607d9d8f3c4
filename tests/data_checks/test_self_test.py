import numpy as np
import pytest

from data_checks.check import Check
from data_checks.default_checks import default_checks
from data_checks.evidence.table import by_split
from data_checks.self_test import READER_ROWS, share_found, vouch
from data_checks.splits import Split, Splits


def splits_of(rows=90, **columns):
    rng = np.random.default_rng(0)
    whole = Split(rng.normal(size=(rows, 6)), np.arange(rows) % 2, **columns)
    return Splits(*[whole.take(np.arange(start, rows, 3)) for start in range(3)])


def planted_checks():
    return [check for check in default_checks() if check.plant]


def test_every_kind_of_leak_that_is_planted_is_found():
    splits = splits_of(groups=np.array([f"g{i}" for i in range(90)]), times=np.arange(90.0))
    words = vouch(splits, planted_checks())
    assert set(words) == {"DC110", "DC111", "DC112", "DC120", "DC130", "DC140"}
    assert all(vouched and share == 1.0 for vouched, share in words.values()), words


def test_a_check_that_sees_nothing_is_not_vouched_for():
    def blind(splits):
        return {"copied": by_split(splits, lambda name, split: False)}

    copies = next(check for check in default_checks() if check.code == "DC110")
    dull = Check("OWN001", "Blind", "Does it see?", "copied", blind, plant=copies.plant)
    assert vouch(splits_of(), [dull]) == {"OWN001": (False, 0.0)}


def test_checks_without_plants_are_not_tried():
    assert vouch(splits_of(), [check for check in default_checks() if not check.plant]) == {}
    with pytest.raises(ValueError, match="nothing can be planted for DC101"):
        share_found(splits_of(), default_checks()[0])


def test_low_dimensional_rows_are_said_to_hide_near_copies():
    rng = np.random.default_rng(0)
    line = rng.normal(size=(3000, 1)) @ rng.normal(size=(1, 6))
    parts = [Split(line[start::3], np.zeros(1000, int)) for start in range(3)]
    near = next(check for check in planted_checks() if check.code == "DC120")
    assert vouch(Splits(*parts), [near])["DC120"][0] is False


def test_only_some_rows_of_a_reader_take_part():
    seen = []

    class Noise:
        def __len__(self):
            return 3 * READER_ROWS

        def __getitem__(self, indices):
            seen.extend(np.asarray(indices).tolist())
            return np.stack([np.random.default_rng(index).normal(size=8) for index in indices.tolist()])

        def key(self, index):
            return str(index).encode()

    rows = Split(Noise(), np.zeros(3 * READER_ROWS, int))
    parts = Splits(rows, rows.take(np.arange(10)), rows.take(np.arange(10)))
    assert all(vouched for vouched, _ in vouch(parts, planted_checks()[:4]).values())
    assert len(set(seen)) <= READER_ROWS + 10


def test_the_rows_themselves_are_left_as_they_were():
    splits = splits_of()
    before = splits.fingerprints
    vouch(splits, planted_checks()[:4])
    assert Splits(*[Split(p.inputs, p.targets) for p in splits.named().values()]).fingerprints == before
