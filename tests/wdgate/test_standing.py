"""Which model is the champion, by the entries."""

import pytest

from data_checks.errors import RegistryError
from wdgate.ledger import Entry
from wdgate.standing import Standing


def promoted(onnx, **body):
    return Entry("promoted", {"onnx_sha256": onnx, **body}, "", onnx, "a")


def back(left, to):
    return Entry("rolled_back", {"from": left.hash, "to": to.hash}, "", "t", "a")


FIRST, SECOND, THIRD = promoted("1"), promoted("2"), promoted("3")


def test_nothing_promoted_is_no_champion_and_no_anchor():
    standing = Standing.of([Entry("opened", {}, "", "t", "a"), Entry("booked", {}, "", "t", "a")])
    assert (standing.champion, standing.anchor, standing.promoted) == (None, None, ())


def test_the_last_promoted_is_the_champion_and_the_first_the_anchor():
    standing = Standing.of([FIRST, SECOND, THIRD])
    assert (standing.champion, standing.previous, standing.anchor) == (THIRD, SECOND, FIRST)


def test_a_rollback_takes_bytes_back_and_another_brings_them_back():
    once = Standing.of([FIRST, SECOND, back(SECOND, FIRST)])
    assert (once.champion, once.previous, once.rolled_back) == (FIRST, SECOND, {"2"})
    again = once.after(back(FIRST, SECOND))
    assert (again.champion, again.rolled_back, again.anchor) == (SECOND, {"1"}, SECOND)


BETTER, BEST = (promoted(onnx, superior={"shown": True}) for onnx in ("4", "5"))


def test_what_surpassed_the_anchor_is_the_anchor_and_what_did_not_is_none():
    alike = promoted("6", superior={"shown": False})
    assert Standing.of([FIRST, alike, promoted("7", superior=None)]).anchor == FIRST
    assert Standing.of([FIRST, BETTER, SECOND, alike]).anchor == BETTER
    assert Standing.of([FIRST, BETTER, BEST]).anchor == BEST


def test_an_anchor_that_was_taken_back_gives_way_to_the_one_before():
    standing = Standing.of([FIRST, BETTER, SECOND, BEST, back(BEST, SECOND)])
    assert (standing.champion, standing.anchor) == (SECOND, BETTER)
    standing = standing.after(back(SECOND, BEST))
    assert (standing.champion, standing.anchor) == (BEST, BEST)
    only = Standing.of([BETTER, FIRST, back(FIRST, BETTER)])
    assert only.anchor == BETTER


def test_a_rollback_to_what_was_never_promoted_is_refused():
    with pytest.raises(RegistryError, match="which it does not hold"):
        Standing.of([FIRST, back(FIRST, SECOND)])
