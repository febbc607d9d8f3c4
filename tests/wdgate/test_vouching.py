"""Who wrote each entry of a ledger, and whether the writer is still believed."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from data_checks.errors import RegistryError
from wdgate.ledger import Entry
from wdgate.registry import Registry
from wdgate.serving import history
from wdgate.signing import new_key
from wdgate.trust import TrustedKeys, trust, trusted
from wdgate.vouching import SIGNATURE_TAG, check, check_middle, signature, signer

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pair")
    return new_key(folder / "old.pem"), new_key(folder / "new.pem")


@pytest.fixture
def chained(pair):
    """Three entries, the first two signed by the old key and the last by the new one; and who is believed."""
    entries = [Entry("booked", {"n": n}, "p", NOW.isoformat(), "ann", number=n) for n in (1, 2, 3)]
    keys = (pair[0], pair[0], pair[1])
    signatures = {e.number: signature(e.content, key) for e, key in zip(entries, keys, strict=True)}
    believed = {key.keyid: replace(trusted(key), not_before=NOW) for key in pair}
    return entries, signatures, believed


def said(entries, signatures, believed, check=check):
    try:
        check(entries, signatures, TrustedKeys(believed, "trusted.json"), "m_ledger")
    except RegistryError as error:
        return str(error)
    return None


def test_entries_signed_by_keys_that_are_believed_are_right(chained):
    assert said(*chained) is None
    assert said([], {}, {}) is None


def test_an_edited_entry_is_named(chained):
    entries, signatures, believed = chained
    entries[1] = replace(entries[1], body={"n": 9})
    assert said(entries, signatures, believed).startswith("entry 2 of the ledger m_ledger was not signed by")


@pytest.mark.parametrize("stored", [None, "", "x", "x y", "ab " * 3])
def test_an_entry_without_a_signature_of_a_known_key_is_named(chained, stored):
    entries, signatures, believed = chained
    assert "entry 2 of the ledger m_ledger is " in said(entries, {**signatures, 2: stored}, believed)


@pytest.mark.parametrize("sig", ["", "é", "A", "AAAA", "A" * 86 + "=="])
def test_what_is_no_signature_is_named(chained, sig):
    entries, signatures, believed = chained
    stored = f"{signer(signatures[2])} {sig}"
    assert "was not signed by the key" in said(entries, {**signatures, 2: stored}, believed)


def test_a_signature_of_another_entry_is_named(chained):
    entries, signatures, believed = chained
    assert "was not signed by" in said(entries, {**signatures, 2: signatures[1]}, believed)


def test_a_key_that_was_not_valid_then_is_named(chained, pair):
    entries, signatures, believed = chained
    late = replace(believed[pair[0].keyid], not_before=NOW + timedelta(seconds=1))
    assert "which is valid from" in said(entries, signatures, {**believed, late.keyid: late})


def test_a_revoked_key_is_borne_with_where_a_later_entry_vouches(chained, pair):
    entries, signatures, believed = chained
    revoked = replace(believed[pair[0].keyid], revoked=NOW)
    assert said(entries, signatures, {**believed, revoked.keyid: revoked}) is None
    told = said(entries[:2], signatures, {**believed, revoked.keyid: revoked})
    assert told.startswith("the last entry of the ledger m_ledger, 2, was written with the key")
    assert said(entries[:2], signatures, {**believed, revoked.keyid: revoked}, check_middle) is None


@pytest.fixture
def mine(registry, store, tmp_path):
    """A ledger of a key of its own; and how the same is seen with another key."""
    keys = {name: tmp_path / f"{name}.pem" for name in ("old", "new")}
    for path in keys.values():
        trust(tmp_path / "trusted.json", new_key(path))
    name = f"{registry.name}-mine"

    def seen(by="old"):
        return Registry(name, **store, signing_key=keys[by], trusted_keys=tmp_path / "trusted.json")

    # The ledger that all names share was opened with the tests' own key.
    theirs = TrustedKeys.read(Path(registry.trusted.where)).keys
    _rewrite(tmp_path / "trusted.json", lambda known: {**theirs, **known})
    seen().init()
    return seen


def _rewrite(path, change):
    path.write_text(TrustedKeys(change(dict(TrustedKeys.read(path).keys)), "").content)


def revoke(mine, by="old"):
    registry = mine(by)
    keyid = registry.signing_key.keyid
    _rewrite(Path(registry.trusted.where), lambda known: {**known, keyid: replace(known[keyid], revoked=NOW)})


def test_initialising_again_with_the_same_key_adds_nothing(mine):
    mine().init()
    assert [entry.kind for entry in mine().ledger.entries()] == ["opened"]


def test_a_new_key_is_an_entry(mine):
    mine("new").init()
    mine("new").init()
    opened, rekeyed = mine().ledger.entries()
    keys = {"from": mine().signing_key.keyid, "to": mine("new").signing_key.keyid}
    assert (opened.kind, rekeyed.kind, rekeyed.body) == ("opened", "rekeyed", keys)


def test_a_ledger_whose_last_writer_was_revoked_stops_until_a_new_key_vouches(mine):
    revoke(mine)
    with pytest.raises(RegistryError, match="which was revoked: look through `wdgate history`"):
        mine("new").ledger.entries()
    assert [row["kind"] for row in history(mine("new"))] == ["opened"]
    with pytest.raises(RegistryError, match=r"nothing can be signed: the key .* was revoked"):
        mine().init()
    mine("new").init()
    assert [entry.kind for entry in mine("new").ledger.entries()] == ["opened", "rekeyed"]


def test_an_edited_or_missing_signature_is_named(mine):
    client, model = mine().client, mine().ledger.model
    intact = client.get_model_version(model, "1").tags[SIGNATURE_TAG]
    edited = intact[:70] + ("A" if intact[70] != "A" else "B") + intact[71:]
    client.set_model_version_tag(model, "1", SIGNATURE_TAG, edited)
    with pytest.raises(RegistryError, match=f"entry 1 of the ledger {model} was not signed by"):
        mine().ledger.entries()
    client.delete_model_version_tag(model, "1", SIGNATURE_TAG)
    with pytest.raises(RegistryError, match=f"entry 1 of the ledger {model} is not signed"):
        mine("new").init()


def test_an_entry_with_its_hash_rewritten_in_the_store_is_named(mine):
    """What the hash alone does not show: who writes the store can write both."""
    client, model = mine().client, mine().ledger.model
    entry = mine().ledger.entries()[0]
    other = replace(entry, body={**entry.body, "pipeline": "theirs"})
    client.set_model_version_tag(model, "1", "wdgate.entry", other.content)
    client.set_model_version_tag(model, "1", "wdgate.hash", other.hash)
    with pytest.raises(RegistryError, match=f"entry 1 of the ledger {model} was not signed by"):
        mine().ledger.entries()


def test_who_was_told_no_trusted_keys_can_read_and_not_write(mine, store, monkeypatch):
    name = mine().name
    monkeypatch.delenv("WDGATE_TRUSTED_KEYS")
    monkeypatch.delenv("WDGATE_SIGNING_KEY")
    trainer = Registry(name, **store)
    assert [entry.kind for entry in trainer.ledger.entries()] == ["opened"]
    with pytest.raises(RegistryError, match="there is no key to sign with"):
        trainer.ledger.append("booked", {})
    assert json.dumps(trainer.pipeline) == "null"
