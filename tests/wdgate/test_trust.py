"""Whose signatures are believed, and of which days."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import RegistryError
from wdgate.signing import new_key
from wdgate.trust import TrustedKeys, moment, trust, trusted

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return new_key(tmp_path_factory.mktemp("key") / "signing.pem")


@pytest.fixture
def entry(key):
    return replace(trusted(key, note="ann"), not_before=NOW - DAY)


def test_a_key_is_believed_from_its_first_to_its_last_moment(entry):
    entry = replace(entry, not_after=NOW + DAY)
    moments = {NOW - DAY, NOW, NOW + DAY}
    assert {entry.objection(at) for at in moments} == {None}
    assert "is valid from 2026-05-31" in entry.objection(NOW - DAY - timedelta(microseconds=1))
    assert "was valid until 2026-06-02" in entry.objection(NOW + DAY + timedelta(microseconds=1))


def test_a_key_without_an_end_is_believed_for_ever(entry):
    assert entry.objection(NOW + 36500 * DAY) is None


@pytest.mark.parametrize("at", [NOW - DAY, NOW, NOW + 365 * DAY])
def test_a_revoked_key_is_never_believed(entry, at):
    assert "was revoked on 2026-06-01" in replace(entry, revoked=NOW).objection(at)


def test_another_time_zone_is_the_same_moment(entry):
    assert entry.objection(moment("2026-05-31T02:00:00+02:00")) is None
    assert entry.objection(moment("2026-05-31T01:59:59+02:00")) is not None


def test_an_unknown_key_is_named_with_the_file(entry):
    keys = TrustedKeys({entry.keyid: entry}, "trusted.json")
    assert (
        keys.objection("ab" * 32, NOW) == "the key abababababab is not among the trusted keys of trusted.json"
    )
    assert keys.objection(entry.keyid, NOW) is None
    assert keys.objection(entry.keyid, NOW - 9 * DAY).startswith(f"the key {entry.keyid[:12]} is valid from")


def test_what_is_written_is_read(tmp_path, key):
    path = tmp_path / "deep" / "trusted.json"
    entry = trust(path, key, days=30, note="ann")
    assert TrustedKeys.read(path).keys == {key.keyid: entry}
    assert entry.not_after - entry.not_before == timedelta(days=30)
    assert [file.name for file in path.parent.iterdir()] == ["trusted.json"]


def test_a_key_that_is_trusted_stays_as_it_is_and_others_are_added(tmp_path, key):
    path = tmp_path / "trusted.json"
    entry = trust(path, key, note="ann")
    assert trust(path, key, days=1, note="bob") == entry
    other = trust(path, new_key(tmp_path / "other.pem"))
    assert TrustedKeys.read(path).keys == {key.keyid: entry, other.keyid: other}


def test_a_revoked_key_is_not_trusted_again(tmp_path, key):
    path = tmp_path / "trusted.json"
    entry = replace(trust(path, key), revoked=NOW)
    path.write_text(TrustedKeys({key.keyid: entry}).content)
    assert trust(path, key).revoked == NOW


def broken(change):
    def edit(document):
        change(document["keys"][0])

    return edit


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.update(schema=2), "expected the fields schema, which is 1, and keys"),
        (lambda d: d.update(more=1), "expected the fields schema"),
        (lambda d: d.update(keys=1), "cannot be read"),
        (lambda d: d["keys"].append(d["keys"][0]), "name one key twice"),
        (lambda d: d["keys"].append(None), "key 2: expected the fields"),
        (broken(lambda k: k.pop("revoked")), "key 1: expected the fields keyid, public_key"),
        (broken(lambda k: k.update(revokd=None)), "key 1: expected the fields"),
        (broken(lambda k: k.update(keyid="ab" * 32)), "is not the SHA-256 of public_key in DER"),
        (broken(lambda k: k.update(public_key="x")), "key 1: it is no public key in PEM"),
        (broken(lambda k: k.update(public_key=1)), "key 1: public_key is no text"),
        (broken(lambda k: k.update(not_before=None)), "key 1: None is no moment"),
        (broken(lambda k: k.update(not_after="soon")), "key 1: Invalid isoformat string"),
        (broken(lambda k: k.update(revoked="")), "key 1: Invalid isoformat string"),
        (broken(lambda k: k.update(revoked=False)), "key 1: False is no moment"),
        (broken(lambda k: k.update(not_after="2026-06-01T00:00:00")), "has no time zone"),
    ],
)
def test_a_file_with_a_mistake_trusts_nobody(tmp_path, key, change, said):
    path = tmp_path / "trusted.json"
    trust(path, key)
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(RegistryError, match=said):
        TrustedKeys.read(path)


@given(st.binary(max_size=200) | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps))
def test_any_other_file_is_one_sentence(content):
    with pytest.raises(RegistryError, match="the trusted keys f cannot be read") as caught:
        TrustedKeys.parse(content, "f")
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(RegistryError, match=r"trusted\.json cannot be read: No such file"):
        TrustedKeys.read(tmp_path / "trusted.json")


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path, key):
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match="cannot be written"):
        trust(tmp_path / "file" / "trusted.json", key)


@pytest.mark.parametrize("field", ['"schema": 1', '"schema": true', '"keys": []'])
def test_a_field_that_is_there_twice_is_refused(field):
    content = '{"schema": 1, "keys": [], ' + field + "}"
    with pytest.raises(RegistryError, match="there twice"):
        TrustedKeys.parse(content, "here")


def test_a_file_nested_beyond_reading_is_one_sentence():
    with pytest.raises(RegistryError, match="cannot be read"):
        TrustedKeys.parse("[" * 200_000, "here")
