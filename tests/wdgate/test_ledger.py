"""What happened to a model, in which order, and who was first."""

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import RegistryError
from wdgate.ledger import ENTRY_TAG, HASH_TAG, Entry, Item, chain
from wdgate.registry import Registry


def item(number, entry):
    return Item(number, entry.content, entry.hash)


def made(parents):
    """Items as claims make them: each names the head of the chain, or, some entries back, an older one."""
    entries, items = [Entry("opened", {}, "", "t", "a")], []
    items.append(item(1, entries[0]))
    for position, back in enumerate(parents):
        parent = entries[-1 - back % len(entries)]
        entry = Entry("booked", {"n": position}, parent.hash, "t", "a")
        items.append(item(position + 2, entry))
        if parent is entries[-1]:
            entries.append(entry)
    return items, entries


@given(st.lists(st.integers(0, 3), max_size=12))
def test_the_first_to_name_a_parent_wins_and_the_others_are_skipped(parents):
    items, entries = made(parents)
    found = chain(reversed(items), "m_ledger")
    assert list(found) == entries
    assert [entry.parent for entry in found[1:]] == [entry.hash for entry in found[:-1]]


@given(st.integers(0, 5), st.sampled_from(["kind", "body", "parent", "at", "by"]))
def test_any_edited_field_of_any_entry_is_noticed_and_named(position, field):
    items, entries = made([0] * 5)
    new = {"kind": "judged" if position else "booked", "body": {"n": 99}}.get(field, "x" * 64)
    edited = replace(entries[position], **{field: new})
    items[position] = Item(position + 1, edited.content, items[position].recorded_hash)
    with pytest.raises(RegistryError, match=f"entry {position + 1} of the ledger m_ledger was edited"):
        chain(items, "m_ledger")


@given(st.integers(0, 4))
def test_an_entry_rewritten_with_its_hash_is_noticed_by_what_follows(position):
    items, entries = made([0] * 5)
    items[position] = item(position + 1, replace(entries[position], by="mallory"))
    with pytest.raises(
        RegistryError, match=f"entry {position + 2} .* names a parent that is not in the chain"
    ):
        chain(items, "m_ledger")


@given(st.integers(0, 4))
def test_a_missing_entry_is_noticed_and_named(position):
    items, _ = made([0] * 5)
    with pytest.raises(RegistryError, match=f"entry {position + 1} of the ledger m_ledger is missing"):
        chain([found for found in items if found.number != position + 1], "m_ledger")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "holds no entry"),
        ("{", "cannot be read"),
        ("[]", "does not have the fields"),
        ('{"kind":"opened"}', "does not have the fields"),
        ('{"at":"","body":{},"by":"","kind":"opened","parent":"","schema":2}', "schema 2 is not known"),
        ('{"at":"","body":{},"by":"","kind":"danced","parent":"","schema":1}', "kind 'danced'"),
    ],
)
def test_what_is_no_entry_is_refused_in_one_sentence(content, said):
    with pytest.raises(RegistryError, match=said):
        chain([Item(1, content, "00")], "m_ledger")


def test_a_ledger_that_does_not_begin_with_its_opening_is_refused():
    with pytest.raises(RegistryError, match="starts with booked"):
        chain([item(1, Entry("booked", {}, "", "t", "a"))], "m_ledger")


def test_a_second_claim_of_a_parent_loses(registry):
    head = registry.ledger.entries()[-1]
    first = registry.ledger.claim(head.hash, "booked", {"who": "first"})
    assert registry.ledger.claim(head.hash, "booked", {"who": "second"}) is None
    assert [entry.body.get("who") for entry in registry.ledger.entries()] == [None, "first"]
    assert (first.by, first.number) == ("tester", 2)


def test_append_stops_when_its_condition_no_longer_holds(registry):
    assert registry.ledger.append("booked", {}, still=lambda entries: len(entries) == 1)
    assert registry.ledger.append("booked", {}, still=lambda entries: len(entries) == 1) is None


def test_an_entry_edited_in_the_store_is_named(registry):
    edited = replace(registry.ledger.append("booked", {"look": 1}), body={"look": 0})
    registry.client.set_model_version_tag(registry.ledger.model, "2", ENTRY_TAG, edited.content)
    with pytest.raises(RegistryError, match=f"entry 2 of the ledger {registry.ledger.model} was edited"):
        registry.ledger.entries()


def test_an_entry_deleted_from_the_store_is_named(registry):
    registry.ledger.append("booked", {})
    registry.client.delete_model_version(registry.ledger.model, "1")
    with pytest.raises(RegistryError, match=r"entry 1 .* is missing"):
        registry.ledger.entries()


def test_a_foreign_version_in_the_ledger_is_named(registry):
    registry.client.create_model_version(registry.ledger.model, source="x:/y")
    with pytest.raises(RegistryError, match=f"version 2 of {registry.ledger.model} holds no entry"):
        registry.ledger.entries()


def test_the_two_texts_of_an_entry_are_all_that_is_needed_to_read_it(registry):
    version = registry.client.get_model_version(registry.ledger.model, "1")
    entry = Entry.parse(version.tags[ENTRY_TAG])
    assert (entry.hash, entry.kind, entry.parent) == (version.tags[HASH_TAG], "opened", "")


def appends(arguments):
    """One promoter of a race: appends entries of its own, each at the head."""
    name, store, who, times = arguments
    ledger = Registry(name, **{**store, "by": who}).ledger
    return [ledger.append("booked", {"who": who, "n": n}).hash for n in range(times)]


def assert_one_child_a_parent(registry, written):
    entries = registry.ledger.entries()
    assert {entry.hash for entry in entries[1:]} == {found for part in written for found in part}
    assert len({entry.parent for entry in entries}) == len(entries) == 1 + sum(map(len, written))
    assert [found.number for found in registry.ledger.items()] == list(
        range(1, len(registry.ledger.items()) + 1)
    )


def test_of_racing_threads_each_entry_has_one_child(registry, store):
    jobs = [(registry.name, store, f"t{n}", 2) for n in range(3)]
    with ThreadPoolExecutor(3) as pool:
        assert_one_child_a_parent(registry, list(pool.map(appends, jobs)))


@pytest.mark.soak
def test_of_racing_processes_each_entry_has_one_child(registry, store):
    jobs = [(registry.name, store, f"p{n}", 5) for n in range(4)]
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert_one_child_a_parent(registry, pool.map(appends, jobs))
