"""Whose signatures are believed, and of which days?

A JSON file of public keys with dates, which never comes from the registry: whoever writes there could name
a key of their own. Dates are compared with the time that the certificate names, not with a clock, so that the
same files verify the same in ten years. A revoked key vouches for nothing: a thief writes any date.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from data_checks.errors import RegistryError
from wdgate.canonical import canonical_json
from wdgate.signing import SigningKey, keyid_of, public_key

TRUSTED_KEYS = "WDGATE_TRUSTED_KEYS"
TRUSTED_FILE = "trusted.json"
SCHEMA = 1
FIELDS = ("keyid", "public_key", "not_before", "not_after", "revoked", "note")


@dataclass(frozen=True)
class TrustedKey:
    """A public key and the days on which its signatures count.

    Args:
        keyid: the SHA-256 of the key in DER.
        public_key: as PEM.
        not_before: the first moment, with a time zone.
        not_after: the last moment, for a key that was replaced; None for a key in use.
        revoked: when it was found to be in wrong hands; None for a key that is not.
        note: whose it is, for people.
    """

    keyid: str
    public_key: str
    not_before: datetime
    not_after: datetime | None = None
    revoked: datetime | None = None
    note: str = ""

    def objection(self, signed_at: datetime) -> str | None:
        """Why a signature of that moment does not count; None where it does."""
        if self.revoked is not None:
            return f"was revoked on {self.revoked.isoformat()}"
        if signed_at < self.not_before:
            return f"is valid from {self.not_before.isoformat()}, and {signed_at.isoformat()} was before"
        if self.not_after is not None and signed_at > self.not_after:
            return f"was valid until {self.not_after.isoformat()}, and {signed_at.isoformat()} was after"
        return None

    def as_dict(self) -> dict[str, Any]:
        """The entry as the file holds it."""
        return {name: _said(getattr(self, name)) for name in FIELDS}


@dataclass(frozen=True)
class TrustedKeys:
    """The keys of one file, by their names.

    Args:
        keys: of each keyid.
        where: the file, for sentences.
    """

    keys: Mapping[str, TrustedKey]
    where: str = ""

    def objection(self, keyid: str, signed_at: datetime) -> str | None:
        """Why a signature by that key at that moment does not count; None where it does."""
        key = self.keys.get(keyid)
        if key is None:
            return f"the key {keyid[:12]} is not among the trusted keys of {self.where}"
        said = key.objection(signed_at)
        return said and f"the key {keyid[:12]} {said}"

    @property
    def content(self) -> str:
        """The file's text."""
        keys = [key.as_dict() for key in self.keys.values()]
        return json.dumps({"schema": SCHEMA, "keys": keys}, indent=2) + "\n"

    @classmethod
    def parse(cls, content: str | bytes, where: str) -> TrustedKeys:
        """The keys that a file's content names.

        Raises:
            RegistryError: it cannot be read in full; nothing in it is passed over.
        """
        try:
            read = json.loads(content, object_pairs_hook=_once)
            fields = isinstance(read, dict) and read.keys() == {"schema", "keys"}
            # Not True, which equals 1.
            if not fields or type(read["schema"]) is not int or read["schema"] != SCHEMA:
                raise ValueError(f"expected the fields schema, which is {SCHEMA}, and keys")
            keys = [_key(one, place) for place, one in enumerate(read["keys"], start=1)]
        except (ValueError, TypeError, RecursionError) as error:
            raise RegistryError(f"the trusted keys {where} cannot be read: {error}") from error
        if len({key.keyid for key in keys}) != len(keys):
            raise RegistryError(f"the trusted keys {where} name one key twice")
        return cls({key.keyid: key for key in keys}, where)

    @classmethod
    def read(cls, path: Path) -> TrustedKeys:
        """The keys of a file.

        Raises:
            RegistryError: it is not there, or cannot be read.
        """
        try:
            return cls.parse(path.read_bytes(), str(path))
        except OSError as error:
            raise RegistryError(f"the trusted keys {path} cannot be read: {error.strerror}") from error


def trust(path: Path, key: SigningKey, *, days: int | None = None, note: str = "") -> TrustedKey:
    """Add the public half of a key to a file of trusted keys, from now on; one that is in it stays as it is.

    Args:
        path: the file, made if it is not there.
        key: whose public half.
        days: for how many its signatures count; None for no end.
        note: whose it is, for people.

    Raises:
        RegistryError: the file cannot be read or written.
    """
    known = TrustedKeys.read(path).keys if path.exists() else {}
    if key.keyid in known:
        return known[key.keyid]
    entry = trusted(key, days=days, note=note)
    _write(path, TrustedKeys({**known, key.keyid: entry}).content, new=not known)
    return TrustedKeys.read(path).keys.get(key.keyid, entry)


def _write(path: Path, content: str, *, new: bool) -> None:
    made = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(content, encoding="utf-8")
        if new:  # of two processes that make it, the second keeps the first one's dates
            with suppress(FileExistsError):
                path.hardlink_to(made)
            made.unlink()
        else:
            made.replace(path)
    except OSError as error:
        raise RegistryError(f"the trusted keys {path} cannot be written: {error.strerror}") from error


def trusted(key: SigningKey, *, days: int | None = None, note: str = "") -> TrustedKey:
    """The entry of a key whose signatures count from now on."""
    now = datetime.now(UTC).replace(microsecond=0)
    until = None if days is None else now + timedelta(days=days)
    return TrustedKey(key.keyid, key.public_pem, now, until, None, note)


def moment(text: Any) -> datetime:
    """The moment that an ISO 8601 text with a time zone names.

    Raises:
        ValueError: another text.
    """
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is no moment, expected a text such as 2026-01-31T12:00:00+00:00")
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text} has no time zone, expected such as {text}+00:00")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object with each name once: of two, a reader would see the first and a parser the last."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field is there twice")
    return found


def _said(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _key(one: Any, place: int) -> TrustedKey:
    try:
        return _read_key(one)
    except ValueError as error:
        raise ValueError(f"key {place}: {error}") from error


def _read_key(one: Any) -> TrustedKey:
    # A field that is misspelt, such as revokd, must not pass for one that is not there.
    if not isinstance(one, dict) or one.keys() != set(FIELDS):
        raise ValueError(f"expected the fields {', '.join(FIELDS)}")
    if not isinstance(one["public_key"], str):
        raise ValueError("public_key is no text")
    if keyid_of(public_key(one["public_key"])) != one["keyid"]:
        raise ValueError(f"keyid {canonical_json(one['keyid'])} is not the SHA-256 of public_key in DER")
    ends = {name: None if one[name] is None else moment(one[name]) for name in ("not_after", "revoked")}
    return TrustedKey(
        one["keyid"], one["public_key"], moment(one["not_before"]), **ends, note=str(one["note"])
    )
