"""Who signs what is promoted, and how is a signature made and checked?

Ed25519 in a DSSE envelope (https://github.com/secure-systems-lab/dsse), by securesystemslib. A key's name is
the SHA-256 of its public half in DER: what `openssl pkey -in FILE -pubout -outform DER | sha256sum` says.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_checks.errors import RegistryError
from wdgate.canonical import canonical_json, sha256

if TYPE_CHECKING:  # takes a tenth of a second
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNING_KEY = "WDGATE_SIGNING_KEY"
KEY_FILE = "signing.pem"
HERE, GIVEN = "made on this machine", "given by its owner"


@dataclass(frozen=True, eq=False)
class SigningKey:
    """A private key, and where it came from.

    Args:
        private: the Ed25519 key.
        origin: `made on this machine`, in the embedded default, or `given by its owner`.
    """

    private: Ed25519PrivateKey
    origin: str = GIVEN

    @cached_property
    def keyid(self) -> str:
        """The key's name."""
        return keyid_of(self.private.public_key())

    @property
    def public_pem(self) -> str:
        """The public half, as PEM."""
        return pem_of(self.private.public_key())

    def seal(self, payload: str, payload_type: str) -> str:
        """The DSSE envelope of a payload, as canonical JSON."""
        from securesystemslib.dsse import Envelope
        from securesystemslib.signer import CryptoSigner, SSlibKey

        public = SSlibKey.from_crypto(self.private.public_key(), self.keyid)
        envelope = Envelope(payload.encode(), payload_type, {})
        envelope.sign(CryptoSigner(self.private, public))
        return canonical_json(envelope.to_dict())


def is_signed_by(envelope: Mapping[str, Any], public_pem: str, keyid: str) -> bool:
    """Whether the envelope, as its JSON says, holds a signature by this key that is right."""
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    # securesystemslib changes the signatures that it is handed.
    read = Envelope.from_dict({**envelope, "signatures": [dict(one) for one in envelope["signatures"]]})
    try:
        read.verify([SSlibKey.from_crypto(public_key(public_pem), keyid)], 1)
    except VerificationError:
        return False
    return True


def keyid_of(public: Ed25519PublicKey) -> str:
    """The name of a key: the SHA-256 of its public half in DER."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def pem_of(public: Ed25519PublicKey) -> str:
    """A public key as PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def public_key(pem: str) -> Ed25519PublicKey:
    """The public key that a PEM holds.

    Raises:
        ValueError: it holds none of Ed25519.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError("it is no public key in PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"it is an {type(key).__name__}, expected Ed25519")
    return key


def new_key(path: Path, origin: str = GIVEN) -> SigningKey:
    """Make a key, and keep it in a file that only its owner reads.

    Of two processes that come here together both get the same one; a file that is there already is read.

    Raises:
        RegistryError: the file cannot be written, or holds something else.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        _write_once(path, pem)
    except OSError as error:
        raise RegistryError(f"the signing key {path} cannot be written: {error.strerror}") from error
    return read_key(path, origin)


def _write_once(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = path.with_name(f"{path.name}.{os.getpid()}")
    with open(os.open(made, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    # A link is made once, and with all its content: a process that was killed leaves no half a key.
    with suppress(FileExistsError):
        path.hardlink_to(made)
    made.unlink()


def read_key(given: str | Path, origin: str = GIVEN) -> SigningKey:
    """The signing key in a file, or in a PEM itself.

    Raises:
        RegistryError: no such file, one that others can read, or no unencrypted Ed25519 key in PEM.
    """
    if isinstance(given, str) and "-----BEGIN" in given:
        return SigningKey(_private(given.encode(), f"the signing key in {SIGNING_KEY}"), origin)
    path = Path(given)
    try:
        with path.open("rb") as file:
            # Of the open file: a path may lead to another one in between.
            _refuse_readable(path, os.fstat(file.fileno()).st_mode)
            return SigningKey(_private(file.read(100_000), f"the signing key {path}"), origin)
    except OSError as error:
        raise RegistryError(f"the signing key {path} cannot be read: {error.strerror}") from error


def _refuse_readable(path: Path, mode: int) -> None:
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise RegistryError(
            f"the signing key {path} can be read by others (mode {stat.S_IMODE(mode):03o}), "
            f"expected 600: whoever read it can sign; make a new one, or `chmod 600 {path}`"
        )


def _private(pem: bytes, where: str) -> Ed25519PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, None)
    except TypeError as error:  # what cryptography raises for a missing passphrase
        raise RegistryError(f"{where} is encrypted, expected one without a passphrase") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise RegistryError(f"{where} is no private key in PEM (PKCS #8)") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise RegistryError(f"{where} is an {type(key).__name__.strip('_')}, expected Ed25519")
    return key
