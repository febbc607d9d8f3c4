"""Which key signs here, and which keys are believed here."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from data_checks.errors import RegistryError
from wdgate import keys
from wdgate.ledger import Entry
from wdgate.signing import GIVEN, HERE, new_key
from wdgate.trust import TrustedKeys, trust, trusted


@pytest.fixture
def here(tmp_path):
    """The environment of the embedded default."""
    return {"WDGATE_HOME": str(tmp_path / "home")}


def test_in_the_embedded_default_a_key_is_made_once_and_trusted(here, tmp_path):
    made = keys.signing_key(None, embedded=True, environment=here)
    assert made.origin == HERE
    assert keys.signing_key(None, embedded=True, environment=here).keyid == made.keyid
    keys.refuse_untrusted(made, keys.trusted_keys(None, embedded=True, environment=here))
    assert sorted(file.name for file in (tmp_path / "home/keys").iterdir()) == ["signing.pem", "trusted.json"]


def test_elsewhere_a_missing_key_or_list_is_an_error(here, tmp_path):
    with pytest.raises(RegistryError, match="there is no key to sign with: set WDGATE_SIGNING_KEY"):
        keys.signing_key(None, embedded=False, environment=here)
    with pytest.raises(RegistryError, match="there are no trusted keys: set WDGATE_TRUSTED_KEYS"):
        keys.trusted_keys(None, embedded=False, environment=here)
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("embedded", [True, False])
def test_what_the_settings_name_is_taken_and_nothing_is_made(here, tmp_path, embedded):
    made = new_key(tmp_path / "signing.pem")
    trust(tmp_path / "trusted.json", made)
    named = {
        **here,
        "WDGATE_SIGNING_KEY": str(tmp_path / "signing.pem"),
        "WDGATE_TRUSTED_KEYS": str(tmp_path / "trusted.json"),
    }
    key = keys.signing_key(None, embedded=embedded, environment=named)
    assert (key.keyid, key.origin) == (made.keyid, GIVEN)
    assert keys.trusted_keys(None, embedded=embedded, environment=named).keys.keys() == {made.keyid}
    assert not (tmp_path / "home").exists()


def test_what_the_caller_names_counts_more_than_the_settings(here, tmp_path):
    made = new_key(tmp_path / "signing.pem")
    named = {**here, "WDGATE_SIGNING_KEY": "missing.pem"}
    path = tmp_path / "signing.pem"
    assert keys.signing_key(path, embedded=False, environment=named).keyid == made.keyid


def test_a_key_of_one_s_own_is_not_trusted_by_the_embedded_default_unasked(here, tmp_path):
    keys.signing_key(None, embedded=True, environment=here)
    other = new_key(tmp_path / "other.pem")
    with pytest.raises(RegistryError, match=r"nothing can be signed: the key .* is not among the trusted"):
        keys.refuse_untrusted(other, keys.trusted_keys(None, embedded=True, environment=here))


def test_only_the_store_under_wdgate_home_is_embedded(here, tmp_path):
    own = f"sqlite:///{tmp_path}/home/mlflow.db"
    assert keys.is_embedded(None, here)
    assert keys.is_embedded(own, here)
    assert keys.is_embedded(None, {**here, "MLFLOW_TRACKING_URI": own})
    assert not keys.is_embedded("sqlite:////elsewhere/mlflow.db", here)
    assert not keys.is_embedded(None, {**here, "MLFLOW_TRACKING_URI": "http://mlflow:5000"})


class Begun:
    """What `signing_time` asks of a registry."""

    def __init__(self, key, entry, tags):
        self.signing_key, self._tags = key, tags
        self.trusted = TrustedKeys({entry.keyid: entry}, "trusted.json")

    def release_tags(self, judged):
        return self._tags


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return new_key(tmp_path_factory.mktemp("key") / "signing.pem")


@pytest.fixture
def begun(key):
    now = datetime.now(UTC)
    return lambda tags=None, **dates: Begun(
        key, replace(trusted(key), **{"not_before": now - timedelta(days=9), **dates}), tags or {}
    )


def judged(before):
    at = datetime.now(UTC) - before
    return Entry("judged", {}, "", at.isoformat(timespec="microseconds"), "ann")


def test_a_certificate_is_signed_after_the_judgement_and_not_later_than_now(begun):
    entry = judged(timedelta(hours=1))
    signed_at = datetime.fromisoformat(keys.signing_time(begun(), entry))
    assert datetime.fromisoformat(entry.at) < signed_at <= datetime.now(UTC)


def test_clocks_of_two_machines_may_differ_by_minutes(begun):
    entry = judged(timedelta(minutes=-4))
    assert keys.signing_time(begun(), entry) == entry.at


def test_a_clock_that_went_backwards_signs_nothing(begun):
    with pytest.raises(RegistryError, match=r"this machine's clock says .*, but the judgement was made at"):
        keys.signing_time(begun(), judged(timedelta(minutes=-6)))


def test_a_release_that_was_begun_names_the_same_time_again(begun, key):
    told = "2026-01-02T03:04:05.000000+00:00"
    tags = {"wdgate.signed_at": told, "wdgate.keyid": key.keyid}
    early = {"not_before": datetime(2026, 1, 1, tzinfo=UTC)}
    assert keys.signing_time(begun(tags, **early), judged(timedelta(hours=1))) == told
    assert keys.signing_time(begun({**tags, "wdgate.keyid": "x"}), judged(timedelta(hours=1))) != told


@pytest.mark.parametrize(
    "dates",
    [
        {"not_before": datetime(2999, 1, 1, tzinfo=UTC)},
        {"not_after": datetime(2026, 1, 1, tzinfo=UTC)},
        {"revoked": datetime(2999, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_key_that_is_not_believed_today_signs_nothing(begun, dates):
    with pytest.raises(RegistryError, match=r"nothing can be signed: the key"):
        keys.signing_time(begun(**dates), judged(timedelta(hours=1)))
