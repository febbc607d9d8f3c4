"""What happened to a model, in which order, and who was first?

The ledger of `NAME` is a registered model of its own, `NAME_ledger`, and each of its versions is an entry.
A registry hands out version numbers one after another and never again, which is what makes the first
claim of a parent the only one: aliases and tags, which MLflow overwrites silently, could not do that.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from data_checks.errors import RegistryError
from wdgate import vouching
from wdgate.canonical import canonical_json, plain, sha256
from wdgate.store import reason

if TYPE_CHECKING:  # MLflow takes seconds to import
    from mlflow import MlflowClient

    from wdgate.signing import SigningKey
    from wdgate.trust import TrustedKeys

T = TypeVar("T")

SCHEMA = 1
KINDS = (
    "opened",
    "renewed",
    "booked",
    "judged",
    "promoted",
    "rolled_back",
    "succeeded",
    "quarantined",
    "freed",
    "pruned",
    "rekeyed",
)
GENESIS = ""
SUFFIX = "_ledger"
ENTRY_TAG, HASH_TAG = "wdgate.entry", "wdgate.hash"
PAUSES = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
ATTEMPTS = 100


@dataclass(frozen=True)
class Entry:
    """One thing that happened.

    Args:
        kind: one of `KINDS`, such as `booked`.
        body: what happened, as plain values.
        parent: the hash of the entry before this one; empty for the first.
        at: when, by the writer's clock, in UTC.
        by: who, as the writer called itself.
        schema: the version of these fields.
        number: the version of the ledger's model that holds the entry; 0 before it is written.

    Example:
        >>> entry = Entry("opened", {"salt": "00"}, "", "2026-01-01T00:00:00+00:00", "ann")
        >>> Entry.parse(entry.content) == entry
        True
    """

    kind: str
    body: Mapping[str, Any]
    parent: str
    at: str
    by: str
    schema: int = SCHEMA
    # Where it was found is not what it says: neither compared nor hashed.
    number: int = field(default=0, compare=False)

    @property
    def content(self) -> str:
        """What is stored and hashed: every field but the number, as canonical JSON."""
        return canonical_json({name: value for name, value in vars(self).items() if name != "number"})

    @property
    def hash(self) -> str:
        """The SHA-256 of the content, which is the entry's name."""
        return sha256(self.content)

    @classmethod
    def parse(cls, content: str, number: int = 0) -> Entry:
        """The entry that a content stands for.

        Raises:
            ValueError: not an entry, or one of a schema or kind that this version does not know.
        """
        fields = json.loads(content)
        names = {"kind", "body", "parent", "at", "by", "schema"}
        if not isinstance(fields, dict) or fields.keys() != names:
            raise ValueError(f"it does not have the fields {', '.join(sorted(names))}")
        if fields["schema"] != SCHEMA or fields["kind"] not in KINDS:
            raise ValueError(f"kind {fields['kind']!r} of schema {fields['schema']!r} is not known here")
        return cls(**fields, number=number)


@dataclass(frozen=True)
class Item:
    """A version of the ledger's model as it was found: its number, and the texts that it holds."""

    number: int
    content: str | None
    recorded_hash: str | None
    signature: str | None = None


def chain(items: Iterable[Item], name: str) -> tuple[Entry, ...]:
    """The entries that belong to the ledger `name`, in order.

    An entry belongs if its parent is the head so far. One that names an older parent lost a race, and is
    skipped. Everything else is not a ledger that wdgate wrote.

    Raises:
        RegistryError: an entry that was edited, is missing, or names a parent that is not there.
    """
    entries: list[Entry] = []
    known = {GENESIS}
    for position, item in enumerate(sorted(items, key=lambda item: item.number), start=1):
        if item.number != position:
            raise RegistryError(
                f"entry {position} of the ledger {name} is missing; entries are never deleted"
            )
        entry = _read(item, name)
        if entry.parent not in known:
            raise RegistryError(
                f"entry {item.number} of the ledger {name} names a parent that is not in the chain"
            )
        if entry.parent == (entries[-1].hash if entries else GENESIS):
            entries.append(entry)
            known.add(entry.hash)
    if entries and entries[0].kind != "opened":
        raise RegistryError(f"the ledger {name} starts with {entries[0].kind}, where opened was expected")
    return tuple(entries)


def _read(item: Item, name: str) -> Entry:
    if item.content is None or item.recorded_hash is None:
        raise RegistryError(f"version {item.number} of {name} holds no entry; only wdgate writes to a ledger")
    try:
        entry = Entry.parse(item.content, item.number)
    except ValueError as error:
        raise RegistryError(f"entry {item.number} of the ledger {name} cannot be read: {error}") from error
    if entry.hash != item.recorded_hash:
        raise RegistryError(
            f"entry {item.number} of the ledger {name} was edited: "
            f"its content has the hash {entry.hash[:12]}, but {item.recorded_hash[:12]} was recorded"
        )
    return entry


class Ledger:
    """The append-only, hash-chained record of one model.

    Args:
        name: the model; the ledger is the registered model `NAME_ledger`.
        client: the MLflow client that reads and writes it.
        by: what the writer calls itself.
        key: gives the key that entries are signed with; None where nothing is to be written.
        trusted: gives the keys that are believed, or None where nobody has said which: then signatures are
            not looked at.
    """

    def __init__(
        self,
        name: str,
        client: MlflowClient,
        by: str = "",
        key: Callable[[], SigningKey] | None = None,
        trusted: Callable[[], TrustedKeys | None] = lambda: None,
    ) -> None:
        self.name = name
        self.model = name + SUFFIX
        self.by = by
        self._client = client
        self._key, self._trusted = key, trusted
        self._check = vouching.check

    def entries(self) -> tuple[Entry, ...]:
        """The chain, oldest first; empty where the ledger was never opened.

        Raises:
            RegistryError: the registry is away, or the chain is not as wdgate wrote it.
        """
        return self._checked(self._check)[0]

    @contextmanager
    def only_looked_at(self) -> Iterator[None]:
        """Within this context a chain is read, too, whose last writer's key was revoked."""
        self._check = vouching.check_middle
        try:
            yield
        finally:
            self._check = vouching.check

    def vouch(self) -> tuple[Entry, ...]:
        """The chain, signed for with this key where another one wrote its last entry.

        Raises:
            RegistryError: the chain is not as wdgate wrote it, or an entry is not signed by a key that was
                believed; the last writer's key may have been revoked since.
        """
        entries, signatures = self._checked(vouching.check_middle)
        if not entries or self._key is None:
            return entries
        old, new = vouching.signer(signatures[entries[-1].number]), self._key().keyid
        if old == new:
            return entries
        self.claim_from(entries[0].body["run_id"], entries[-1].hash, "rekeyed", {"from": old, "to": new})
        return self.entries()

    def _checked(self, check: Callable[..., None]) -> tuple[tuple[Entry, ...], dict[int, str | None]]:
        items = self.items()
        entries, signatures = chain(items, self.model), {item.number: item.signature for item in items}
        if trusted := self._trusted():
            check(entries, signatures, trusted, self.model)
        return entries, signatures

    def items(self) -> list[Item]:
        """All versions of the ledger's model, whoever wrote them."""
        return _items(self._client, f"name = '{self.model}'").get(self.model, [])

    def claim(self, parent: str, kind: str, body: Mapping[str, Any]) -> Entry | None:
        """Append an entry after `parent`, a hash: one compare-and-swap.

        Returns:
            The entry, or None when somebody else was first.
        """
        return self.claim_from(self.run_id, parent, kind, body)

    def claim_from(self, run_id: str, parent: str, kind: str, body: Mapping[str, Any]) -> Entry | None:
        """The same, with the run that the version is to name: what opens a ledger."""
        at = datetime.now(UTC).isoformat(timespec="microseconds")
        entry = Entry(kind, plain(body), parent, at, self.by)
        call(
            self._client.create_model_version,
            self.model,
            source=self._source(run_id),
            run_id=run_id,
            tags=self._signed(entry),
            description=f"{kind} at {at} by {self.by}",
            await_creation_for=0,
        )
        return next((found for found in self.entries() if found.hash == entry.hash), None)

    def _signed(self, entry: Entry) -> dict[str, str]:
        tags = {ENTRY_TAG: entry.content, HASH_TAG: entry.hash, "wdgate.kind": entry.kind}
        if self._key is not None:
            tags[vouching.SIGNATURE_TAG] = vouching.signature(entry.content, self._key())
        return tags

    def append(
        self, kind: str, body: Mapping[str, Any], still: Callable[[tuple[Entry, ...]], bool] = lambda _: True
    ) -> Entry | None:
        """Append at the head, however often it moves; None as soon as `still(entries)` no longer holds."""
        for _ in range(ATTEMPTS):
            entries = self.entries()
            if not still(entries):
                return None
            if entry := self.claim(self.opened(entries)[-1].hash, kind, body):
                return entry
        raise RegistryError(
            f"the ledger {self.model} was written by others {ATTEMPTS} times in a row; try again"
        )

    def opened(self, entries: tuple[Entry, ...] | None = None) -> tuple[Entry, ...]:
        """The chain, which has at least its first entry.

        Raises:
            RegistryError: the ledger was never opened, or is empty.
        """
        entries = self.entries() if entries is None else entries
        if not entries:
            raise RegistryError(f"{self.name} has no ledger; `wdgate init {self.name}` opens one")
        return entries

    @cached_property
    def run_id(self) -> str:
        """The run that holds what entries point to."""
        return str(self.opened()[0].body["run_id"])

    def _source(self, run_id: str) -> str:
        if run_id not in self._sources:
            self._sources[run_id] = f"{call(self._client.get_run, run_id).info.artifact_uri}/ledger"
        return self._sources[run_id]

    @cached_property
    def _sources(self) -> dict[str, str]:
        return {}


def all_items(client: MlflowClient) -> dict[str, list[Item]]:
    """All versions of every model whose name ends as a ledger's does, by that name."""
    found = _items(client, f"name LIKE '%{SUFFIX}'")
    return {model: items for model, items in found.items() if model.endswith(SUFFIX)}


def _items(client: MlflowClient, which: str) -> dict[str, list[Item]]:
    # Ascending, so that what is appended meanwhile moves no page.
    query = {"filter_string": which, "order_by": ["version_number ASC", "name ASC"], "max_results": 500}
    found: dict[str, list[Item]] = {}
    for version in pages(client.search_model_versions, **query):
        tags = version.tags
        texts = (tags.get(name) for name in (ENTRY_TAG, HASH_TAG, vouching.SIGNATURE_TAG))
        item = Item(int(version.version), *texts)
        found.setdefault(version.name, []).append(item)
    return found


def call(function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """Call the MLflow client; a store that is locked for a moment is tried again.

    Raises:
        RegistryError: what the client said, in one line.
    """
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    for pause in (*PAUSES, None):
        try:
            return function(*args, **kwargs)
        except (MlflowException, SQLAlchemyError, OSError) as error:
            if pause is None or not _will_pass(str(error)):
                raise RegistryError(f"the registry did not answer: {reason(error)}") from error
            time.sleep(pause)
    raise RegistryError("the registry stayed locked")


def pages(search: Callable[..., Any], **query: Any) -> Iterator[Any]:
    """Everything that a paginated search of the MLflow client finds."""
    token = None
    while True:
        page = call(search, page_token=token, **query)
        yield from page
        token = page.token
        if not token:
            return


def _will_pass(message: str) -> bool:
    # The second is MLflow's own, when three others took the number that it wanted.
    return "database is locked" in message or "Giving up after" in message
