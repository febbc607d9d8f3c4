"""Which model is the champion, and what became of the others, by the entries of the ledger?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from data_checks.errors import RegistryError
from wdgate.ledger import Entry


@dataclass(frozen=True)
class Standing:
    """What a chain of entries amounts to.

    Args:
        promoted: all `promoted` entries.
        champion: the one in use, or None.
        previous: the one that was in use before the last change, or None.
        rolled_back: hashes of ONNX files that were taken back and not brought back since.
        quarantined: the entry since which no version may be served, or None.
        pruned: the entries by which model files were deleted, by the run that held each.
    """

    promoted: tuple[Entry, ...] = ()
    champion: Entry | None = None
    previous: Entry | None = None
    rolled_back: frozenset[str] = frozenset()
    quarantined: Entry | None = None
    pruned: Mapping[str, Entry] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Iterable[Entry]) -> Standing:
        """Replay the entries.

        Raises:
            RegistryError: a rollback that names a promotion which is not there.
        """
        standing = cls()
        for entry in entries:
            standing = standing.after(entry)
        return standing

    def after(self, entry: Entry) -> Standing:
        """The standing after one more entry."""
        if entry.kind == "promoted":
            # Bytes that are promoted again were uploaded again.
            there = entry.body.get("release_run_id")
            pruned = {run_id: gone for run_id, gone in self.pruned.items() if run_id != there}
            promoted = (*self.promoted, entry)
            return replace(self, promoted=promoted, champion=entry, previous=self.champion, pruned=pruned)
        if entry.kind == "rolled_back":
            left, champion = self.entry(entry.body["from"]), self.entry(entry.body["to"])
            rolled_back = (self.rolled_back | {onnx_of(left)}) - {onnx_of(champion)}
            return replace(self, champion=champion, previous=left, rolled_back=rolled_back)
        if entry.kind in ("quarantined", "freed"):
            return replace(self, quarantined=entry if entry.kind == "quarantined" else None)
        if entry.kind == "pruned":
            return replace(self, pruned={**self.pruned, **dict.fromkeys(entry.body["files"], entry)})
        return self

    def pruned_by(self, promoted: Entry) -> Entry | None:
        """The entry by which the file of a `promoted` one was deleted, or None."""
        return self.pruned.get(promoted.body.get("release_run_id", ""))

    def refuse_pruned(self, promoted: Entry, name: str) -> None:
        """Raise where the file of a promotion of the model `name` was deleted; by whom is said."""
        if gone := self.pruned_by(promoted):
            raise RegistryError(pruned_sentence(promoted, gone, name))

    @property
    def anchor(self) -> Entry | None:
        """The frozen reference: the last promotion that surpassed the anchor before it, or the first one.

        What was taken back is passed over, so that the anchor before it is the reference again. So is what
        was pruned, which an anchor never is, but what comes before one may be.
        """
        there = [entry for entry in self.promoted if self.pruned_by(entry) is None]
        kept = [entry for entry in there if onnx_of(entry) not in self.rolled_back]
        surpassing = (
            entry for entry in reversed(kept) if (entry.body.get("superior") or {}).get("shown") is True
        )
        return next(surpassing, kept[0] if kept else None)

    def entry(self, entry_hash: str) -> Entry:
        """The `promoted` entry of that hash.

        Raises:
            RegistryError: there is none.
        """
        for entry in self.promoted:
            if entry.hash == entry_hash:
                return entry
        raise RegistryError(f"the ledger names the promotion {entry_hash[:12]}, which it does not hold")


def pruned_sentence(promoted: Entry, gone: Entry, name: str) -> str:
    """When and by whom the file of a promotion was deleted."""
    return (
        f"model.onnx of {name} that was promoted at {promoted.at} was pruned at {gone.at} by {gone.by}; "
        "its certificate and its entries remain"
    )


def onnx_of(entry: Entry) -> str:
    """The hash of the ONNX file that a `promoted` entry names."""
    return str(entry.body["onnx_sha256"])
