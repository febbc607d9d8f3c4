"""Which model may be served, can that be verified, and how is a champion taken back?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from data_checks.errors import RegistryError
from wdgate import quarantine, releases, seen
from wdgate.certificate import Certificate
from wdgate.evaluation.onnx_file import OnnxModel
from wdgate.ledger import Entry
from wdgate.registry import ALIAS, PROMOTED_TAG, Registry
from wdgate.standing import Standing, onnx_of
from wdgate.used import left

# How long a promotion by somebody else may be between its entry and its alias, in seconds.
PAUSES = (0.1, 0.3, 1.0)


@dataclass(frozen=True, eq=False)
class Champion:
    """A verified model, ready to predict.

    Args:
        name: the registered model.
        version: its version.
        certificate: what was shown before it was promoted.
        model: the open file.
    """

    name: str
    version: int
    certificate: Mapping[str, Any]
    model: OnnxModel

    def predict(self, inputs: NDArray[Any] | Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Named predictions, each (N, ...), of rows (N, ...) or of named columns.

        Raises:
            ModelError: the rows do not fit the model.
        """
        return self.model.predict(inputs)


@dataclass(frozen=True)
class Verified:
    """One thing that was looked at.

    Args:
        name: `ledger`, `quarantine`, `version`, `certificate and bytes`, `signature`,
            `alias` or `other versions`.
        ok: whether it is as it must be.
        sentence: what was found.
    """

    name: str
    ok: bool
    sentence: str


def load_champion(
    name: str,
    tracking_uri: str | None = None,
    registry_uri: str | None = None,
    *,
    trusted_keys: str | Path | None = None,
    registry: Registry | None = None,
) -> Champion:
    """The champion of a model, verified first and opened from the verified bytes.

    Args:
        name: the registered model.
        tracking_uri: MLflow's tracking store; None for what the environment says.
        registry_uri: MLflow's model registry; None for the tracking store's own.
        trusted_keys: their file; None for `WDGATE_TRUSTED_KEYS`, or for those under `WDGATE_HOME`.
        registry: in place of the two.

    Raises:
        RegistryError: nothing was promoted, or something is not as the ledger says; it is named.
    """
    registry = registry or Registry(name, tracking_uri, registry_uri, trusted_keys=trusted_keys)
    _refuse_unserved(registry)
    champion = _settled(registry)
    version = registry.version_of(champion)
    _check_version(registry, champion, version)
    onnx, certificate = _check_release(registry, champion)
    certificate.signed_by(registry.trusted)
    return Champion(name, int(version or 0), certificate.as_dict(), OnnxModel(onnx))


def verify(registry: Registry, version: int | None = None) -> tuple[Verified, ...]:
    """Look at everything that a version rests on; the champion where none is named.

    Returns:
        One item a thing; the version is verified if all are ok. Where the ledger cannot be read,
        that is the only one.
    """
    try:
        entries = registry.ledger.opened()
        standing = Standing.of(entries)
        seen.recall(registry, entries)
    except RegistryError as error:
        return (Verified("ledger", False, str(error)),)
    items = [Verified("ledger", True, f"{len(entries)} entries, each naming the one before it")]
    if said := quarantine.refusal(registry.name, standing):
        items.append(Verified("quarantine", False, said))
    return (*items, *_verify_version(registry, standing, version), *_verify_model(registry, standing))


def rollback(registry: Registry, to: int | None = None, *, reason: str = "") -> int:
    """Make an earlier champion the champion again, and record it.

    Args:
        registry: of the model.
        to: the version; None for the last one before the champion that was not rolled back and still
            verifies. The champion's own version: a moved alias is put back, and nothing is recorded.
        reason: why, for the record.

    Returns:
        The version that is the champion now.

    Raises:
        RegistryError: there is no such version, or it does not verify, or another one was promoted meanwhile.
    """
    standing = Standing.of(registry.ledger.opened())
    if standing.champion is None:
        raise RegistryError(f"nothing of {registry.name} was ever promoted, so nothing can be rolled back")
    target = _earlier(registry, standing) if to is None else _promoted_as(registry, standing, to)
    standing.refuse_pruned(target, registry.name)
    releases.read_promoted(registry, target)[1].signed_by(registry.trusted)
    if target != standing.champion:
        body = {
            "from": standing.champion.hash,
            "to": target.hash,
            "onnx_sha256": onnx_of(target),
            "reason": reason,
        }
        if not registry.ledger.append("rolled_back", body, _unmoved(standing.champion, target)):
            raise RegistryError(
                f"the champion of {registry.name} changed just now; look at it before rolling back"
            )
    version = registry.register(target)
    registry.point(version)
    return version


def _unmoved(champion: Entry, target: Entry) -> Callable[[tuple[Entry, ...]], bool]:
    def still(entries: tuple[Entry, ...]) -> bool:
        now = Standing.of(entries)
        return now.champion == champion and now.pruned_by(target) is None

    return still


def history(registry: Registry) -> list[dict[str, Any]]:
    """What happened to a model, oldest first, as plain values.

    Returns:
        A row an entry: `number`, `kind`, `at`, `by`, `version`, `look`, `looks`, `passed`, `sentence`,
        `onnx_sha256`, `hash`; None where a kind has no such value. `left` is how many looks are left at the
        test rows of the last booking, and stands with that one. `anchor`: it surpassed the anchor, and is it.
    """
    with registry.ledger.only_looked_at():
        entries, looks = registry.ledger.opened(), left(registry)
    versions = {v.tags.get(PROMOTED_TAG): number for number, v in registry.versions().items()}
    last = max((entry.number for entry in entries if entry.kind == "booked"), default=None)
    return [
        {**_row(entry, versions), "left": looks["left"] if looks and entry.number == last else None}
        for entry in entries
    ]


def _refuse_unserved(registry: Registry) -> None:
    entries = registry.ledger.opened()
    seen.recall(registry, entries)
    if said := quarantine.refusal(registry.name, Standing.of(entries)):
        raise RegistryError(said)


def _settled(registry: Registry) -> Entry:
    """The champion, once ledger and alias agree; a promotion that is just being finished is waited for."""
    for pause in (*PAUSES, None):
        champion = Standing.of(registry.ledger.opened()).champion
        if champion and registry.shows(champion):
            return champion
        if champion is None or pause is None:
            break
        time.sleep(pause)
    raise RegistryError(_alias_sentence(registry, champion))


def _alias_sentence(registry: Registry, champion: Entry | None) -> str:
    alias = registry.alias
    found = "nowhere" if alias is None else f"to version {alias}"
    version = registry.version_of(champion) if champion else None
    if champion is None:
        return f"nothing of {registry.name} was promoted by its ledger; its alias {ALIAS} points {found}"
    expected = "is not registered" if version is None else f"is version {version}"
    return f"the alias {ALIAS} of {registry.name} points {found}, but the ledger's champion {expected}"


def _check_version(registry: Registry, entry: Entry, version: int | None) -> None:
    found = registry.versions().get(version) if version is not None else None
    if found is None:
        raise RegistryError(f"the promotion {entry.hash[:12]} of {registry.name} has no version")
    for tag, expected in registry.version_tags(entry).items():
        if found.tags.get(tag) != expected:
            raise RegistryError(f"the tag {tag} of version {version} of {registry.name} was edited")


def _check_release(registry: Registry, entry: Entry) -> tuple[bytes, Certificate]:
    entries = registry.ledger.opened()
    judged = next((e for e in entries if e.hash == entry.body["judged"]), None)
    if judged is None or judged.kind != "judged" or judged.body["decision"].get("passed") is not True:
        raise RegistryError(
            f"the promotion {entry.hash[:12]} of {registry.name} rests on no judgement that passed"
        )
    if judged.body["question"]["onnx_sha256"] != onnx_of(entry):
        raise RegistryError(
            f"the promotion {entry.hash[:12]} of {registry.name} rests on a judgement of another file"
        )
    Standing.of(entries).refuse_pruned(entry, registry.name)
    onnx, certificate = releases.read_promoted(registry, entry)
    if certificate.predicate["ledger"]["judged"] != entry.body["judged"]:
        raise RegistryError(
            f"the certificate of {registry.name} names another judgement than its promotion does"
        )
    return onnx, certificate


def _verify_version(registry: Registry, standing: Standing, version: int | None) -> Iterator[Verified]:
    try:
        entry = standing.champion if version is None else _promoted_as(registry, standing, version)
        if entry is None:
            raise RegistryError(_alias_sentence(registry, None))
        number = registry.version_of(entry)
        _check_version(registry, entry, number)
    except RegistryError as error:
        yield Verified("version", False, str(error))
        return
    yield Verified("version", True, f"version {number} shows the promotion of {entry.at} by {entry.by}")
    try:
        _, certificate = _check_release(registry, entry)
        sentence = f"model.onnx has the hash {onnx_of(entry)}, which its certificate names"
        yield Verified("certificate and bytes", True, sentence)
    except RegistryError as error:
        yield Verified("certificate and bytes", False, str(error))
        return
    yield _verify_signature(registry, certificate)


def _verify_signature(registry: Registry, certificate: Certificate) -> Verified:
    try:
        return Verified("signature", True, certificate.signed_by(registry.trusted))
    except RegistryError as error:
        return Verified("signature", False, str(error))


def _verify_model(registry: Registry, standing: Standing) -> Iterator[Verified]:
    shown = registry.shows(standing.champion)
    sentence = f"{ALIAS} points to version {registry.alias}, the ledger's champion"
    yield Verified("alias", shown, sentence if shown else _alias_sentence(registry, standing.champion))
    known = {entry.hash for entry in standing.promoted}
    strange = [str(n) for n, v in registry.versions().items() if v.tags.get(PROMOTED_TAG) not in known]
    found = (
        f"version {', '.join(strange)} has no promotion in the ledger"
        if strange
        else "every version was promoted"
    )
    yield Verified("other versions", not strange, found)


def _promoted_as(registry: Registry, standing: Standing, version: int) -> Entry:
    found = registry.versions().get(version)
    promoted = found.tags.get(PROMOTED_TAG) if found else None
    entry = next((entry for entry in standing.promoted if entry.hash == promoted), None)
    if entry is None or registry.version_of(entry) != version:
        raise RegistryError(f"version {version} of {registry.name} was not promoted by its ledger")
    return entry


def _earlier(registry: Registry, standing: Standing) -> Entry:
    """The last promotion before the champion's that was not taken back and still verifies."""
    before = standing.promoted[: standing.promoted.index(standing.champion)] if standing.champion else ()
    for entry in reversed(before):
        if onnx_of(entry) not in standing.rolled_back and _verifies(registry, entry):
            return entry
    raise RegistryError(
        f"{registry.name} has no earlier version that still verifies, so there is nothing to go back to"
    )


def _verifies(registry: Registry, entry: Entry) -> bool:
    try:
        _check_release(registry, entry)[1].signed_by(registry.trusted)
    except RegistryError:
        return False
    return True


def _row(entry: Entry, versions: Mapping[str | None, int]) -> dict[str, Any]:
    body = entry.body
    question, decision = body.get("question", {}), body.get("decision", {})
    promoted = {"promoted": entry.hash, "rolled_back": body.get("to")}.get(entry.kind)
    return {
        "number": entry.number,
        "kind": entry.kind,
        "at": entry.at,
        "by": entry.by,
        "version": versions.get(promoted) if promoted else None,
        "look": body.get("look", decision.get("look")),
        "looks": question.get("looks"),
        "passed": decision.get("passed"),
        "sentence": body.get("sentence") or decision.get("sentence") or body.get("reason"),
        "onnx_sha256": body.get("onnx_sha256") or question.get("onnx_sha256"),
        "hash": entry.hash,
        "anchor": (body.get("superior") or {}).get("shown") is True,
    }
