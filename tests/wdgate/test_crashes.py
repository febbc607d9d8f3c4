"""Killed at any write and run again, it ends as if nothing had happened."""

import pytest

from tests.wdgate.conftest import kinds
from wdgate.registry import Registry

WRITES = (
    "create_model_version",
    "create_run",
    "log_artifacts",
    "set_registered_model_alias",
    "update_run",
    "delete_model_version",
)


class Killed(BaseException):
    """What a kill looks like from inside: nothing catches it."""


class Faulty:
    """An MLflow client that is killed at its n-th write: before the write is done, or right after."""

    def __init__(self, client, writes, after):
        self.client, self.left, self.after = client, writes, after

    def __getattr__(self, name):
        value = getattr(self.client, name)
        return self.writing(value) if name in WRITES else value

    def writing(self, method):
        def write(*args, **kwargs):
            self.left -= 1
            if self.left == 0 and not self.after:
                raise Killed
            result = method(*args, **kwargs)
            if self.left == 0:
                raise Killed
            return result

        return write


def killed_at_each_write(store, prefix, work, after, prepare=lambda registry: None):
    """Does some work under a name a write, killed at that write and done again; gives what came of it."""
    for kill_at in range(1, 40):
        name = f"{prefix}-{after}-{kill_at}".lower()
        whole, broken = Registry(name, **store), Registry(name, **store)
        whole.init()
        prepare(whole)
        broken.__dict__["client"] = Faulty(broken.client, kill_at, after)
        try:
            work(broken)
        except Killed:
            yield kill_at, whole, work(whole)
        else:
            return


@pytest.mark.parametrize("after", [False, True])
def test_of_a_first_promotion(store, promotes, rows, onnx_file, after):
    splits = rows()

    def work(registry):
        return promotes(onnx_file(), splits, name=registry.name, registry=registry, looks=100)

    last = 0
    for kill_at, registry, promotion in killed_at_each_write(store, "first", work, after):
        # After the last write, which moves the alias, there is nothing left to finish.
        assert promotion.outcome == ("unchanged" if after and kill_at == 11 else "promoted")
        assert kinds(registry) == ["opened", "booked", "judged", "promoted"]
        assert (list(registry.versions()), registry.alias) == ([1], 1)
        assert work(registry).outcome == "unchanged"
        last = kill_at
    # rows, entry, entry, run, its end, files, train rows, validation rows, entry, version, alias
    assert last == 11


@pytest.mark.parametrize("after", [False, True])
def test_of_a_promotion_on_new_rows_that_moves_the_anchor(store, promotes, rows, onnx_file, after):
    old, new = rows(71), rows(72)

    def first(registry):
        promotes(onnx_file(1, 0.1), old, name=registry.name, registry=registry, looks=100)

    def work(registry):
        return promotes(onnx_file(), new, name=registry.name, registry=registry, looks=100)

    last = 0
    for kill_at, registry, promotion in killed_at_each_write(store, "renewed", work, after, first):
        assert promotion.outcome == ("unchanged" if after and kill_at == 12 else "promoted")
        assert kinds(registry)[4:] == ["renewed", "booked", "judged", "promoted"]
        promoted = registry.ledger.entries()[-1].body
        assert promoted["superior"]["shown"] is True
        assert (list(registry.versions()), registry.alias) == ([1, 2], 2)
        assert work(registry).outcome == "unchanged"
        last = kill_at
    # as above, and the entry that says that the rows are new
    assert last == 12
