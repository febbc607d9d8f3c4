"""Who wrote each entry of a ledger, and is the writer still believed?

An entry is signed as a certificate is: Ed25519 over DSSE's encoding of its content. Whoever appends has
checked the chain before, so that an entry vouches for those before it: a key that was revoked since is borne
with in the middle of a chain, and not at its end. There `wdgate init NAME` with a new key vouches for it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from data_checks.errors import RegistryError
from wdgate.signing import SigningKey, is_signed_by
from wdgate.trust import TrustedKeys, moment

if TYPE_CHECKING:
    from wdgate.ledger import Entry

ENTRY_TYPE = "application/vnd.wdgate.entry+json"
SIGNATURE_TAG = "wdgate.signature"


def signature(content: str, key: SigningKey) -> str:
    """What is stored beside an entry: the key's name, a space, and 64 bytes in base64."""
    made = json.loads(key.seal(content, ENTRY_TYPE))["signatures"][0]
    return f"{made['keyid']} {made['sig']}"


def signer(text: str | None) -> str:
    """The name of the key that a stored signature names; empty where there is none."""
    return (text or "").partition(" ")[0]


def check(
    entries: Sequence[Entry], signatures: Mapping[int, str | None], trusted: TrustedKeys, name: str
) -> None:
    """Raise unless every entry is signed by a key that was believed then, and the last one still is.

    Args:
        entries: of a chain, oldest first.
        signatures: by the entries' numbers, as stored.
        trusted: the keys that are believed.
        name: of the ledger, for sentences.

    Raises:
        RegistryError: naming the entry.
    """
    check_middle(entries, signatures, trusted, name)
    if entries:
        last, key = entries[-1], trusted.keys[signer(signatures[entries[-1].number])]
        if key.revoked is not None:
            raise RegistryError(
                f"the last entry of the ledger {name}, {last.number}, was written with the key "
                f"{key.keyid[:12]}, which was revoked: look through `wdgate history`, and vouch for it with "
                "a new key by `wdgate init`"
            )


def check_middle(
    entries: Sequence[Entry], signatures: Mapping[int, str | None], trusted: TrustedKeys, name: str
) -> None:
    """The same for entries that a later one vouches for: their keys may have been revoked since.

    Raises:
        RegistryError: naming the entry.
    """
    for entry in entries:
        if said := _objection(entry, signatures.get(entry.number), trusted):
            raise RegistryError(f"entry {entry.number} of the ledger {name} {said}")


def _objection(entry: Entry, stored: str | None, trusted: TrustedKeys) -> str | None:
    if stored is None:
        return "is not signed"
    key = trusted.keys.get(signer(stored))
    if key is None:
        return f"is signed by {signer(stored)[:12]!r}, which is not among the trusted keys of {trusted.where}"
    if said := replace(key, revoked=None).objection(moment(entry.at)):
        return f"is signed by the key {key.keyid[:12]}, which {said}"
    if not _is_signature(entry.content, stored, key.public_key):
        return f"was not signed by the key {key.keyid[:12]} that it names"
    return None


# A promotion reads its ledger a dozen times, and a server for every champion that it loads.
@lru_cache(maxsize=100_000)
def _is_signature(content: str, stored: str, public_key: str) -> bool:
    keyid, _, sig = stored.partition(" ")
    envelope = {
        "payload": base64.b64encode(content.encode()).decode(),
        "payloadType": ENTRY_TYPE,
        "signatures": [{"keyid": keyid, "sig": sig}],
    }
    try:
        return is_signed_by(envelope, public_key, keyid)
    except ValueError:  # no base64
        return False
