"""What is claimed about a released model, in a form that others can check?

An in-toto Statement v1 in a DSSE envelope: https://github.com/in-toto/attestation/tree/main/spec/v1
docs/certificate.md explains every field, and `certificate.schema.json` is their JSON schema. One claim has
one text: what is written differently, in the envelope too, is refused, so that a file's hash names the claim.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from data_checks.errors import RegistryError
from wdgate.canonical import canonical_json, plain, sha256
from wdgate.signing import SigningKey, is_signed_by
from wdgate.trust import TrustedKeys, moment

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:x-wdgate:promotion:v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
SCHEMA = 1
SUBJECT = "model.onnx"


class CertificateError(RegistryError):
    """A certificate that does not verify.

    Args:
        item: what of it: `envelope`, `statement`, `key`, `signature` or `model.onnx`.
        sentence: what is wrong.
    """

    def __init__(self, item: str, sentence: str) -> None:
        super().__init__(f"{item} of the certificate: {sentence}")
        self.item = item


@dataclass(frozen=True)
class Certificate:
    """The signed claim about one ONNX file; `parse` reads one, and `certify` makes one.

    Args:
        content: what is stored and hashed: the envelope, as canonical JSON.
    """

    content: str

    @classmethod
    def parse(cls, content: str | bytes) -> Certificate:
        """The certificate that a stored content stands for; its signature is not looked at yet.

        Raises:
            CertificateError: it is no envelope, or no statement of a schema that is known here.
        """
        text = _text(content)
        _fits(_read(text, "envelope"), "envelope")
        certificate = cls(text)
        _refuse_future(certificate.statement)
        _fits(certificate.statement, "statement")
        return certificate

    @cached_property
    def envelope(self) -> dict[str, Any]:
        """The DSSE envelope."""
        return dict(json.loads(self.content))

    @cached_property
    def statement(self) -> dict[str, Any]:
        """The in-toto statement that the envelope holds."""
        return dict(_read(_payload(self.envelope["payload"]), "statement"))

    def as_dict(self) -> dict[str, Any]:
        """The statement."""
        return self.statement

    @property
    def predicate(self) -> Mapping[str, Any]:
        """What is claimed."""
        return dict(self.statement["predicate"])

    @property
    def onnx_sha256(self) -> str:
        """The hash of the file that it is about."""
        return str(self.statement["subject"][0]["digest"]["sha256"])

    @property
    def keyid(self) -> str:
        """The name of the key that signed, as the signed part says it."""
        return str(self.predicate["key"]["keyid"])

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content."""
        return sha256(self.content)

    def check_key(self, trusted: TrustedKeys) -> None:
        """Raise unless it names a key that is believed at the time that it names.

        Raises:
            CertificateError: the key is unknown, revoked, or was not valid then.
        """
        if self.envelope["signatures"][0]["keyid"] != self.keyid:
            raise CertificateError("key", "the envelope names another key than the statement does")
        if said := trusted.objection(self.keyid, moment(self.predicate["signed_at"])):
            raise CertificateError("key", said)

    def check_signature(self, trusted: TrustedKeys) -> None:
        """Raise unless the signature is that of the key that it names.

        Raises:
            CertificateError: it is not.
        """
        if not is_signed_by(self.envelope, trusted.keys[self.keyid].public_key, self.keyid):
            raise CertificateError("signature", f"it is not the key {self.keyid[:12]}'s over this statement")

    def signed_by(self, trusted: TrustedKeys) -> str:
        """Who signed and when, checked.

        Raises:
            CertificateError: the key is not trusted at that time, or the signature is not its.
        """
        self.check_key(trusted)
        self.check_signature(trusted)
        note = trusted.keys[self.keyid].note
        whose = f" ({note})" if note else ""
        return f"signed by the key {self.keyid[:12]}{whose} at {self.predicate['signed_at']}"

    def check_onnx(self, onnx_sha256: str) -> None:
        """Raise unless it is about the file of that hash.

        Raises:
            CertificateError: it is about another one.
        """
        if onnx_sha256 != self.onnx_sha256:
            raise CertificateError(
                SUBJECT, f"it is about the hash {self.onnx_sha256[:12]}, and the file has {onnx_sha256[:12]}"
            )


def certify(
    onnx_sha256: str,
    key: SigningKey,
    *,
    signed_at: str,
    model: str,
    judged: Mapping[str, Any],
    ledger: Mapping[str, str],
    fingerprints: Mapping[str, str],
    report: Mapping[str, Any],
    evidence: Mapping[str, Any],
) -> Certificate:
    """The signed certificate of a model that passed.

    Args:
        onnx_sha256: hash of the judged file.
        key: who signs.
        signed_at: when, ISO 8601 with a time zone.
        model: the registered model's name.
        judged: body of the `judged` entry: the question and the decision.
        ledger: hashes of the `booked` and the `judged` entry, and when and by whom it was judged.
        fingerprints: of each split by name.
        report: the data report as plain values.
        evidence: what the caller vouches for: the decay, the code, the environment, the run.

    Raises:
        CertificateError: what is claimed does not fit the published schema.
    """
    predicate = {
        "schema": SCHEMA,
        "model": model,
        "signed_at": signed_at,
        "key": {"keyid": key.keyid, "origin": key.origin},
        "question": judged["question"],
        "decision": judged["decision"],
        "ledger": ledger,
        "splits": fingerprints,
        "data_report": report,
        "evidence": evidence,
    }
    statement = {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": SUBJECT, "digest": {"sha256": onnx_sha256}}],
        "predicateType": PREDICATE_TYPE,
        "predicate": plain(predicate),
    }
    return Certificate.parse(key.seal(canonical_json(statement), PAYLOAD_TYPE))


@cache
def schema() -> dict[str, Any]:
    """The JSON schema of a certificate: of its statement, and under `$defs` of its envelope."""
    return dict(json.loads(files("wdgate").joinpath("certificate.schema.json").read_text(encoding="utf-8")))


def _text(content: str | bytes) -> str:
    try:
        return content if isinstance(content, str) else content.decode()
    except UnicodeDecodeError as error:
        raise CertificateError("envelope", "it is no text in UTF-8") from error


def _payload(payload: str) -> str:
    try:
        decoded = base64.b64decode(payload, validate=True)
        if base64.b64encode(decoded).decode() != payload:  # the last character has bits that say nothing
            raise ValueError
        return decoded.decode()
    except ValueError as error:
        raise CertificateError("envelope", "its payload is no base64 of a text") from error


def _read(text: str, item: str) -> Any:
    try:
        value = json.loads(text)
        # Names that stand twice, spaces, other spellings of a number: one claim has one text.
        if not isinstance(value, dict) or canonical_json(value) != text:
            raise ValueError("it is not written as wdgate writes it, in canonical JSON")
    except (ValueError, RecursionError) as error:
        raise CertificateError(item, f"it cannot be read: {error}") from error
    return value


def _refuse_future(statement: Mapping[str, Any]) -> None:
    predicate = statement.get("predicate")
    found = predicate.get("schema") if isinstance(predicate, dict) else None
    if isinstance(found, int) and found > SCHEMA:
        raise CertificateError("statement", f"it is of schema {found}, and this wdgate knows {SCHEMA}")
    kind = statement.get("predicateType")
    if kind != PREDICATE_TYPE:
        raise CertificateError("statement", f"it is a {str(kind)[:60]!r}, expected {PREDICATE_TYPE}")


def _fits(value: Any, item: str) -> None:
    """Raise unless a value fits the published schema."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    part = schema() if item == "statement" else {**schema()["$defs"]["envelope"], "$defs": schema()["$defs"]}
    error = best_match(Draft202012Validator(part).iter_errors(value))
    if error is not None:
        raise CertificateError(item, f"at {error.json_path} {error.message[:200]}")
    if item == "statement":
        _moment(value["predicate"]["signed_at"])


def _moment(text: str) -> None:
    try:
        moment(text)
    except ValueError as error:
        raise CertificateError("statement", f"at $.predicate.signed_at {error}") from error
