"""Does a certificate verify, and is it about this file? Asked of files, without a registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from wdgate.canonical import sha256
from wdgate.certificate import SUBJECT, Certificate, CertificateError
from wdgate.serving import Verified
from wdgate.trust import TrustedKeys


def verify_files(
    onnx: bytes, certificate: bytes, trusted: TrustedKeys, model: str | None = None
) -> tuple[Verified, ...]:
    """Look at everything that can be verified of two files. The ledger is not consulted.

    Whether the model is still the champion, was rolled back or quarantined, only the registry knows.

    Args:
        onnx: content of `model.onnx`.
        certificate: content of its `certificate.json`.
        trusted: the keys whose signatures are believed.
        model: the registered model that it must be of; None for any.

    Returns:
        One item a thing, up to the first that is not as it must be; verified if all are ok.
    """
    try:
        read = Certificate.parse(certificate)
    except CertificateError as error:
        return (Verified(error.item, False, str(error)),)
    return tuple(_until_wrong(_steps(read, onnx, trusted, model)))


Step = tuple[str, Callable[[], None], Callable[[], str]]


def _steps(read: Certificate, onnx: bytes, trusted: TrustedKeys, model: str | None) -> tuple[Step, ...]:
    return (
        ("envelope", lambda: None, lambda: "a DSSE envelope with one signature"),
        ("statement", lambda: _refuse_other(read, model), lambda: _claim(read)),
        ("key", lambda: read.check_key(trusted), lambda: f"{read.keyid} is trusted by {trusted.where}"),
        ("signature", lambda: read.check_signature(trusted), lambda: read.signed_by(trusted)),
        (
            SUBJECT,
            lambda: read.check_onnx(sha256(onnx)),
            lambda: f"the file has the hash {read.onnx_sha256}, which the certificate names",
        ),
    )


def _refuse_other(read: Certificate, model: str | None) -> None:
    if model not in (None, read.predicate["model"]):
        raise CertificateError("statement", f"it is about {read.predicate['model']}, not {model}")


def _claim(read: Certificate) -> str:
    predicate = read.predicate
    return f"{predicate['model']}: {predicate['decision']['sentence']}"


def _until_wrong(steps: tuple[Step, ...]) -> Iterator[Verified]:
    for name, check, said in steps:
        try:
            check()
        except CertificateError as error:
            yield Verified(name, False, str(error))
            return
        yield Verified(name, True, said())
