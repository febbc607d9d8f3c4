"""Which key signs here, and which keys are believed here?

Both are said by the environment or by the caller. Only in the embedded default, where trainer, promoter and
reader are one person at one machine, they are made when they are missing. Neither comes from the registry.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from data_checks.errors import RegistryError
from wdgate.signing import HERE, KEY_FILE, SIGNING_KEY, SigningKey, new_key, read_key
from wdgate.store import embedded_store, home
from wdgate.trust import TRUSTED_FILE, TRUSTED_KEYS, TrustedKeys, moment, trust

if TYPE_CHECKING:
    from wdgate.ledger import Entry
    from wdgate.registry import Registry

FOLDER = "keys"
# How far the clocks of two promoters may differ: one judges, and another goes on and signs.
CLOCKS_DIFFER = timedelta(minutes=5)


def is_embedded(tracking_uri: str | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the tracking store is the file under `WDGATE_HOME`, which is used where nobody names another.

    Example:
        >>> is_embedded("http://mlflow:5000"), is_embedded(None, {"MLFLOW_TRACKING_URI": ""})
        (False, True)
    """
    default = embedded_store(environment)
    return (tracking_uri or environment.get("MLFLOW_TRACKING_URI") or default) == default


def signing_key(
    given: str | Path | None, *, embedded: bool, environment: Mapping[str, str] = os.environ
) -> SigningKey:
    """The key that promotions are signed with.

    Args:
        given: a PEM file, or the PEM itself; None for `WDGATE_SIGNING_KEY`.
        embedded: make one under `WDGATE_HOME` where none is given.
        environment: in place of the process's own.

    Raises:
        RegistryError: there is none, or it cannot be used.
    """
    given = given or environment.get(SIGNING_KEY)
    if given:
        return read_key(given)
    if not embedded:
        raise RegistryError(
            f"there is no key to sign with: set {SIGNING_KEY} to an Ed25519 key in PEM; "
            "`wdgate key FILE` makes one"
        )
    folder = home(environment) / FOLDER
    key = new_key(folder / KEY_FILE, HERE)
    trust(folder / TRUSTED_FILE, key, note=HERE)
    return key


def trusted_keys(
    given: str | Path | None, *, embedded: bool, environment: Mapping[str, str] = os.environ
) -> TrustedKeys:
    """The keys whose signatures are believed.

    Args:
        given: their file; None for `WDGATE_TRUSTED_KEYS`.
        embedded: take those under `WDGATE_HOME` where none is given.
        environment: in place of the process's own.

    Raises:
        RegistryError: there are none, or they cannot be read.
    """
    given = given or environment.get(TRUSTED_KEYS)
    if given:
        return TrustedKeys.read(Path(given))
    path = home(environment) / FOLDER / TRUSTED_FILE
    if not embedded:
        raise RegistryError(
            f"there are no trusted keys: set {TRUSTED_KEYS} to their file, which "
            "`wdgate key FILE --trusted FILE` writes"
        )
    return TrustedKeys.read(path)


def is_configured(
    given: str | Path | None, *, embedded: bool, environment: Mapping[str, str] = os.environ
) -> bool:
    """Whether anybody has said which keys are believed."""
    made = home(environment) / FOLDER / TRUSTED_FILE
    return bool(given or environment.get(TRUSTED_KEYS)) or (embedded and made.exists())


def refuse_untrusted(key: SigningKey, trusted: TrustedKeys, now: datetime | None = None) -> None:
    """Raise unless what the key signs now will be believed.

    Raises:
        RegistryError: it is not trusted, or not today; whatever it signed, nobody could serve.
    """
    if said := trusted.objection(key.keyid, now or datetime.now(UTC)):
        raise RegistryError(f"nothing can be signed: {said}")


def signing_time(registry: Registry, judged: Entry) -> str:
    """The time that a certificate of this judgement names, the same one when it is made again after a crash.

    Raises:
        RegistryError: this machine's clock is before the judgement, or the key is not trusted at that time.
    """
    tags = registry.release_tags(judged.hash)
    begun = tags.get("wdgate.signed_at") if tags.get("wdgate.keyid") == registry.signing_key.keyid else None
    at = moment(begun) if begun else _now_after(moment(judged.at))
    refuse_untrusted(registry.signing_key, registry.trusted, at)
    return at.isoformat(timespec="microseconds")


def _now_after(judged: datetime) -> datetime:
    now = datetime.now(UTC)
    if now + CLOCKS_DIFFER < judged:
        raise RegistryError(
            f"this machine's clock says {now.isoformat(timespec='seconds')}, but the judgement was made at "
            f"{judged.isoformat(timespec='seconds')}: nothing is signed by a clock that went backwards"
        )
    return max(now, judged)
