"""What is claimed about a released model, in a form that others can check?

An in-toto Statement v1: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
It is not signed yet: it is bound by its hash, which the `promoted` entry of the ledger names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from data_checks.errors import RegistryError
from wdgate.canonical import canonical_json, plain, sha256

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:x-wdgate:promotion:v1"
SUBJECT = "model.onnx"


@dataclass(frozen=True)
class Certificate:
    """The claim about one ONNX file.

    Args:
        onnx_sha256: hash of the file.
        predicate: what is claimed, as plain values; docs/ledger.md lists the fields.

    Example:
        >>> certificate = Certificate("ab" * 32, {"model": "digits"})
        >>> Certificate.parse(certificate.content) == certificate
        True
    """

    onnx_sha256: str
    predicate: Mapping[str, Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "predicate", plain(self.predicate))

    def as_dict(self) -> dict[str, Any]:
        """The statement."""
        return {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": SUBJECT, "digest": {"sha256": self.onnx_sha256}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": dict(self.predicate),
        }

    @property
    def content(self) -> str:
        """What is stored and hashed: the statement as canonical JSON."""
        return canonical_json(self.as_dict())

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content."""
        return sha256(self.content)

    @classmethod
    def parse(cls, content: str | bytes) -> Certificate:
        """The certificate that a stored content stands for.

        Raises:
            RegistryError: not a statement of this type about one model.
        """
        try:
            statement = json.loads(content)
            certificate = cls(statement["subject"][0]["digest"]["sha256"], statement["predicate"])
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise RegistryError(f"the certificate cannot be read: {error!r}") from error
        # Whatever the file holds beside what was read makes it another statement.
        if certificate.as_dict() != statement:
            raise RegistryError(f"the certificate is not a {PREDICATE_TYPE} statement about one {SUBJECT}")
        return certificate


def certify(
    onnx_sha256: str,
    *,
    model: str,
    judged: Mapping[str, Any],
    ledger: Mapping[str, str],
    fingerprints: Mapping[str, str],
    report: Mapping[str, Any],
    evidence: Mapping[str, Any],
) -> Certificate:
    """The certificate of a model that passed.

    Args:
        onnx_sha256: hash of the judged file.
        model: the registered model's name.
        judged: body of the `judged` entry: the question and the decision.
        ledger: hashes of the `booked` and the `judged` entry, and when and by whom it was judged.
        fingerprints: of each split by name.
        report: the data report as plain values.
        evidence: what the caller vouches for: the decay, the code, the environment, the run.
    """
    predicate = {
        "schema": 1,
        "model": model,
        "question": judged["question"],
        "decision": judged["decision"],
        "ledger": ledger,
        "splits": fingerprints,
        "data_report": report,
        "evidence": evidence,
    }
    return Certificate(onnx_sha256, predicate)
