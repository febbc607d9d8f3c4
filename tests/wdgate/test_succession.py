"""A new name that succeeds another one."""

from dataclasses import replace

import numpy as np
import pytest

from data_checks.errors import RegistryError
from data_checks.splits import Splits
from tests.wdgate.conftest import kinds
from tests.wdgate.test_crashes import Faulty, Killed
from wdgate.registry import Registry
from wdgate.serving import history
from wdgate.standing import Standing
from wdgate.succession import succeed


@pytest.fixture
def successor(registry, store):
    """A registry of a name that nobody has opened yet."""
    return Registry(f"{registry.name}-next", **store)


def test_both_ledgers_say_who_succeeds_whom(registry, successor, promotes, rows, onnx_file):
    promotes(onnx_file(), rows())
    succeed(successor, registry, "digits", reason="It knows a third class.")
    champion = Standing.of(registry.ledger.opened()).champion
    opened, said = successor.ledger.opened()[0], registry.ledger.opened()[-1]
    assert opened.body["succeeds"]["promoted"] == said.body["promoted"] == champion.hash
    assert opened.body["succeeds"]["onnx_sha256"] == champion.body["onnx_sha256"]
    assert opened.body["succeeds"]["reason"] == "It knows a third class."
    assert (said.kind, said.body["model"], said.body["opened"]) == ("succeeded", successor.name, opened.hash)
    assert (successor.pipeline, successor.lineage) == ("digits", registry.name)
    assert f"It succeeds {registry.name}" in history(successor)[0]["sentence"]
    assert f"{successor.name} succeeds it" in history(registry)[-1]["sentence"]


def test_done_again_it_changes_nothing(registry, successor, promotes, rows, onnx_file):
    promotes(onnx_file(), rows())
    for _ in range(2):
        succeed(successor, registry)
    assert kinds(registry)[-2:] == ["promoted", "succeeded"]
    assert kinds(successor) == ["opened"]


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_write_and_done_again_it_is_whole(registry, store, promotes, rows, onnx_file, after):
    promotes(onnx_file(), rows())
    for kill_at in range(1, 9):
        new, old = (
            Registry(n, **store) for n in (f"{registry.name}-{after}{kill_at}".lower(), registry.name)
        )
        new.__dict__["client"] = old.__dict__["client"] = Faulty(new.client, kill_at, after)
        try:
            succeed(new, old)
        except Killed:
            whole = Registry(new.name, **store)
            succeed(whole, registry)
        assert kinds(Registry(new.name, **store)) == ["opened"]
        said = [e.body["model"] for e in registry.ledger.entries() if e.kind == "succeeded"]
        assert said.count(new.name) == 1


def test_looks_at_the_same_rows_are_counted_on_and_their_ids_are_known(
    registry, successor, promotes, rows, onnx_file
):
    parts = {
        name: replace(part, ids=np.array([f"{name}{n}" for n in range(len(part))]), stable_ids=True)
        for name, part in rows().named().items()
    }
    splits = Splits(**parts)
    promotes(onnx_file(), splits)
    succeed(successor, registry)
    moved = replace(splits, test=replace(splits.test, inputs=splits.test.inputs + np.float32(1e-4)))
    ended = promotes(onnx_file(), moved, name=successor.name, registry=successor)
    assert (ended.outcome, ended.decision["look"]) == ("promoted", 2)
    assert "There is no champion yet" in ended.sentence


def test_what_cannot_be_succeeded_opens_nothing(registry, store, successor, promotes, rows, onnx_file):
    with pytest.raises(RegistryError, match="was ever promoted, so there is nothing to succeed"):
        succeed(successor, registry)
    with pytest.raises(RegistryError, match="never-there was never opened"):
        succeed(successor, Registry("never-there", **store))
    promotes(onnx_file(), rows())
    with pytest.raises(RegistryError, match="and not to succeed"):
        succeed(registry, registry)
    assert not successor.is_initialised


def test_a_name_that_is_open_already_succeeds_nobody(registry, successor, promotes, rows, onnx_file):
    promotes(onnx_file(), rows())
    successor.init()
    with pytest.raises(RegistryError, match="was opened already, and not to succeed"):
        succeed(successor, registry)
    assert "succeeded" not in kinds(registry)
