from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_checks.cuts import cut_of
from data_checks.errors import DataError
from data_checks.splits import Split
from data_checks.splitting import split

NAMES = ("train", "validation", "test")


def rows(n, **columns):
    return Split(np.arange(float(n))[:, None], np.arange(n) % 3, **columns)


def places(parts):
    """The part that each row is in, by what the row holds."""
    return {value: name for name in NAMES for value in parts.named()[name].inputs[:, 0].tolist()}


@given(st.integers(0, 500), st.text(max_size=5))
def test_a_row_stays_where_it_is_when_the_data_grow(more, salt):
    before, after = places(split(rows(200), salt=salt)), places(split(rows(200 + more), salt=salt))
    assert before.items() <= after.items()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_a_row_with_an_id_stays_also_when_its_content_is_corrected(seed, more):
    ids = np.random.default_rng(seed).choice(10**9, 200 + more, replace=False)
    early = split(Split(np.zeros((200, 1)), np.zeros(200), ids=ids[:200]))
    late = split(Split(np.ones((200 + more, 1)), np.zeros(200 + more), ids=ids.astype(float)))
    for name in NAMES:
        assert set(early.named()[name].ids.tolist()) <= set(late.named()[name].ids.tolist())


NUMBERS = st.lists(st.integers(0, 10**6), min_size=60, max_size=120, unique=True)


@settings(deadline=None)
@given(NUMBERS, st.sampled_from(["{}", "{:03d}", "{}.0", " {} "]))
def test_a_row_stays_when_a_row_with_an_id_of_text_or_without_one_comes(numbers, written):
    def parts_of(ids):
        parts = split(Split(np.zeros((len(ids), 1)), np.arange(len(ids)), ids=ids)).named()
        return {place: name for name, part in parts.items() for place in part.targets.tolist()}

    before = parts_of(np.array(numbers)).items()
    assert before <= parts_of(np.array([*map(written.format, numbers), "x-7"])).items()
    assert before <= parts_of(np.array([*numbers, "x-7"], object)).items()
    assert before <= parts_of(np.array([*numbers, np.nan])).items()


def test_row_numbers_are_no_ids():
    shifted = Split(np.arange(-50.0, 200)[:, None], np.zeros(250))
    assert places(split(rows(200))).items() <= places(split(shifted)).items()
    taken = rows(200).take(np.arange(100, 200))
    assert places(split(taken)).items() <= places(split(rows(200))).items()


@settings(deadline=None)
@given(st.lists(st.integers(0, 60), max_size=60), st.lists(st.integers(0, 90), max_size=60))
def test_a_group_stays_where_it_is_when_rows_and_groups_come(first, more):
    first = [*range(40), *first]
    whole = np.array([f"G-{number}" for number in first + more])
    early = split(rows(len(first), groups=whole[: len(first)]), by="group")
    late = split(rows(len(whole), groups=whole), by="group")
    assert places(early).items() <= places(late).items()


@settings(deadline=None)
@given(st.lists(st.integers(0, 40), max_size=60), st.lists(st.integers(0, 60), max_size=60))
def test_a_cluster_of_near_rows_stays_where_its_first_row_is(first, more):
    first = [*range(40), *first]

    def whole(values):
        made = np.array(values) + np.arange(len(values)) / 1e4
        return Split(made[:, None], np.zeros(len(made)))

    with pytest.MonkeyPatch.context() as patch:
        _near_by_whole_number(patch)
        early, late = (split(whole(values), by="near") for values in (first, first + more))
    assert places(early).items() <= places(late).items()
    parts = [{int(value) for value in part.inputs[:, 0]} for part in late.named().values()]
    assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]  # noqa: PT018


def _near_by_whole_number(patch):
    """Rows with one whole number are a cluster, instead of a search for near rows."""
    import sys
    from types import SimpleNamespace

    def clusters(rows):
        _, first, codes = np.unique(np.floor(rows.inputs[:, 0]), return_index=True, return_inverse=True)
        return first[codes]

    patch.setitem(sys.modules, "data_checks.evidence.clusters", SimpleNamespace(clusters=clusters))


def test_every_row_stands_in_one_part():
    parts = split(rows(500)).named().values()
    assert sorted(np.concatenate([part.ids for part in parts]).tolist()) == list(range(500))


def test_copies_of_a_row_stay_together():
    doubled = Split(np.repeat(np.arange(100.0), 2)[:, None], np.zeros(200, int))
    parts = split(doubled).named().values()
    assert all(len(part) == 2 * len(set(part.keys.tolist())) for part in parts)


def test_another_salt_gives_another_split():
    assert split(rows(200)).test.ids.tolist() != split(rows(200), salt="b").test.ids.tolist()


def test_groups_stay_together_however_they_are_spelt():
    groups = np.array([f"Site {i % 50}" if i % 2 else f"site  {i % 50} " for i in range(400)])
    groups = np.concatenate([groups, np.char.upper(groups)])
    parts = split(rows(800, groups=groups), by="group").named()
    found = {
        name: {" ".join(g.lower().split()) for g in part.groups.tolist()} for name, part in parts.items()
    }
    assert not found["train"] & found["test"]
    assert not found["train"] & found["validation"]
    assert not found["validation"] & found["test"]


@given(st.lists(st.integers(0, 30), min_size=30, max_size=200))
def test_a_cut_in_time_is_strict(times):
    try:
        parts = split(rows(len(times), times=np.array(times)), by="time")
    except DataError as error:
        assert "no row fell into" in str(error)  # noqa: PT017 - both outcomes are right; what may not be is overlap
        return
    assert parts.train.times.max() < parts.validation.times.min()
    assert parts.validation.times.max() < parts.test.times.min()


@settings(deadline=None)
@given(st.integers(0, 300), st.sampled_from([None, 0, 2, 3.5]))
def test_what_was_learned_from_is_never_judged_on_when_later_rows_come(more, embargo):
    def at(n):
        return rows(n, times=np.arange(n) // 2)

    early, late = (places(split(at(n), by="time", embargo=embargo)) for n in (100, 100 + more))
    learned = [row for row, name in early.items() if name == "train"]
    assert {late[row] for row in learned} == {"train"}


@settings(deadline=None)
@given(st.integers(0, 300), st.sampled_from([None, 5]))
def test_with_a_pinned_cut_no_row_moves(more, embargo):
    early = split(rows(100, times=np.arange(100)), by="time", embargo=embargo)
    cut = cut_of(early)
    late = split(rows(100 + more, times=np.arange(100 + more)), by="time", cut=cut, embargo=embargo)
    assert places(early).items() <= places(late).items()
    assert cut == cut_of(late)


DAYS = np.datetime64("2024-01-01") + np.arange(100)


@pytest.mark.parametrize(
    ("times", "embargo"),
    [
        (np.arange(100), 4),
        (np.arange(100, dtype=np.uint8), 4),
        (np.arange(100) / 10, 0.4),
        (np.arange(100, dtype=np.float32) / 10, 0.4),
        (DAYS, timedelta(days=4)),
        (DAYS.astype("M8[ns]"), np.timedelta64(4, "D")),
        (np.array([datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=i) for i in range(100)]), timedelta(4)),
    ],
)
def test_rows_within_the_embargo_are_in_no_part_and_counted(times, embargo):
    # 70 rows, 10 and 20, of which the last 3 before each cut are less than 4 units from it.
    parts = split(rows(100, times=times), by="time", embargo=embargo, source="a register")
    assert parts.embargo == embargo
    assert [len(part) for part in parts.named().values()] == [67, 7, 20]
    lost = 100 - sum(len(part) for part in parts.named().values())
    assert parts.source.startswith(f"a register, {lost} rows within the embargo of ")
    for earlier, later in ((parts.train, parts.validation), (parts.validation, parts.test)):
        assert later.times.min() - earlier.times.max() >= np.asarray(embargo, object) * 0.999


def test_a_cut_is_given_in_words_and_with_time_zones():
    given_rows = rows(100, times=DAYS)
    parts = split(given_rows, by="time", cut=("2024-03-01", datetime(2024, 3, 21, 1, tzinfo=UTC)))
    assert (str(parts.validation.times.min()), str(parts.test.times.min())) == ("2024-03-01", "2024-03-22")


def test_text_is_cut_at_the_moments_that_it_tells():
    written = [str(day) if place % 2 else str(day).replace("-", "") for place, day in enumerate(DAYS)]
    parts, same = (split(rows(100, times=times), by="time") for times in (DAYS, np.array(written)))
    assert places(parts) == places(same)
    assert cut_of(parts) == cut_of(same)


TIMED = rows(100, times=np.arange(100))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: split(rows(100), test=0.9, validation=0.2), "leave rows for train"),
        (lambda: split(rows(100), test=float("nan")), "test=nan"),
        (lambda: split(rows(100), test=0), "must be above 0"),
        (lambda: split(rows(100), by="group"), "no groups were given"),
        (lambda: split(rows(100), by="time"), "no times were given"),
        (lambda: split(rows(100), by="colour"), "got 'colour'"),
        (lambda: split(rows(1)), "no row fell into"),
        (lambda: split(rows(2, times=np.array([1.0, np.nan])), by="time"), "1 of 2 have none"),
        (lambda: split(rows(100), embargo=3), "an embargo is kept in time"),
        (lambda: split(rows(100), by="group", cut=(1, 2)), "a cut is kept in time"),
        (lambda: split(TIMED, by="time", embargo=-1), "a number of at least 0"),
        (lambda: split(TIMED, by="time", embargo=float("nan")), "a number of at least 0"),
        (lambda: split(TIMED, by="time", embargo=timedelta(1)), "a number of at least 0"),
        (lambda: split(TIMED, by="time", embargo=90), "no row fell into validation"),
        (lambda: split(TIMED, by="time", cut=(60, 50)), "then test's later one"),
        (lambda: split(TIMED, by="time", cut=(60, 60)), "then test's later one"),
        (lambda: split(TIMED, by="time", cut=(60,)), "must be two moments"),
        (lambda: split(TIMED, by="time", cut=("a", "b")), "must be numbers"),
        (lambda: split(TIMED, by="time", cut=(60, 200)), "no row fell into test"),
        (lambda: split(rows(100, times=DAYS), by="time", embargo=3), "a timedelta of at least 0"),
        (lambda: split(rows(100, times=DAYS), by="time", embargo=np.timedelta64(1, "M")), "a timedelta"),
        (lambda: split(rows(100, times=DAYS), by="time", embargo=timedelta(-1)), "a timedelta of at least 0"),
        (lambda: split(rows(100, times=DAYS), by="time", cut=("soon", "later")), "such as '2024-01-31'"),
        (lambda: split(rows(100, times=DAYS), by="time", cut=(1, 2)), "such as '2024-01-31'"),
        (
            lambda: split(rows(100, times=DAYS.astype(str)), by="time", embargo=3),
            "embargo must be a timedelta",
        ),
        (lambda: split(rows(2, times=["02/11/2024", "20/01/2022"]), by="time"), "ISO 8601 .* 2 of 2 rows"),
        (lambda: split(rows(2, times=["2024-01-01", ""]), by="time"), "1 of 2 have none"),
    ],
)
def test_a_split_that_cannot_be_is_refused_in_one_sentence(call, said):
    with pytest.raises(DataError, match=said):
        call()
