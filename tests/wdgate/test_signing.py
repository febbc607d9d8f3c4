"""Who signs what is promoted, and how a signature is made and checked."""

import json
import os
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import RegistryError
from wdgate.signing import GIVEN, HERE, is_signed_by, new_key, public_key, read_key


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("key") / "deep" / "signing.pem"
    new_key(path)
    return path


@pytest.fixture(scope="module")
def key(path):
    return read_key(path)


def pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption()).decode()


def kept(folder, content, mode=0o600):
    path = folder / "key.pem"
    path.write_text(content)
    path.chmod(mode)
    return path


def test_only_the_owner_reads_a_new_key_and_its_folder(path):
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    assert [file.name for file in path.parent.iterdir()] == ["signing.pem"]


def test_a_key_that_is_there_is_kept(path, key):
    assert new_key(path).keyid == key.keyid
    assert new_key(path, HERE).origin == HERE
    assert key.origin == GIVEN


def test_a_key_in_a_setting_is_the_one_in_the_file(path, key):
    assert read_key(path.read_text()).keyid == read_key(str(path)).keyid == key.keyid


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_openssl_gives_a_key_the_same_name(path, key):
    command = f"openssl pkey -in '{path}' -pubout -outform DER | sha256sum"
    said = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
    assert said.split()[0] == key.keyid


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_can_read_is_refused(tmp_path, mode):
    path = kept(tmp_path, pem(Ed25519PrivateKey.generate()), mode)
    with pytest.raises(RegistryError, match=f"can be read by others \\(mode {mode:03o}\\), expected 600"):
        read_key(path)


def test_an_encrypted_key_is_refused(tmp_path):
    path = kept(tmp_path, pem(Ed25519PrivateKey.generate(), BestAvailableEncryption(b"secret")))
    with pytest.raises(RegistryError, match="is encrypted, expected one without a passphrase"):
        read_key(path)


def test_a_key_of_another_kind_is_refused(tmp_path):
    path = kept(tmp_path, pem(rsa.generate_private_key(65537, 2048)))
    with pytest.raises(RegistryError, match="is an RSAPrivateKey, expected Ed25519"):
        read_key(path)


def test_a_public_key_does_not_sign(tmp_path, key):
    with pytest.raises(RegistryError, match="is no private key in PEM"):
        read_key(kept(tmp_path, key.public_pem))


def test_a_missing_key_is_one_sentence(tmp_path):
    with pytest.raises(RegistryError, match=r"none\.pem cannot be read: No such file"):
        read_key(tmp_path / "none.pem")
    with pytest.raises(RegistryError, match="cannot be read: Is a directory"):
        read_key(tmp_path)


def test_a_key_that_cannot_be_written_is_one_sentence(path):
    with pytest.raises(RegistryError, match="cannot be written: File exists"):
        new_key(path / "signing.pem")


@given(st.binary(max_size=300))
def test_what_is_no_key_is_one_sentence_that_does_not_repeat_it(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(RegistryError, match="is no private key in PEM") as caught:
        read_key(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given_pem", ["-----BEGIN PRIVATE KEY-----\nsecret", "-----BEGIN "])
def test_a_broken_setting_is_not_repeated(given_pem):
    with pytest.raises(RegistryError, match="the signing key in WDGATE_SIGNING_KEY is no private") as caught:
        read_key(given_pem)
    assert "secret" not in str(caught.value)


def test_a_signature_is_of_one_payload_of_one_type_by_one_key(key, tmp_path):
    envelope = json.loads(key.seal('{"a":1}', "application/x"))
    other = new_key(tmp_path / "other.pem")
    assert is_signed_by(envelope, key.public_pem, key.keyid)
    assert not is_signed_by(envelope, other.public_pem, other.keyid)
    assert not is_signed_by(envelope, other.public_pem, key.keyid)
    assert not is_signed_by({**envelope, "payloadType": "application/y"}, key.public_pem, key.keyid)
    assert not is_signed_by({**envelope, "payload": "eyJhIjoyfQ=="}, key.public_pem, key.keyid)


@pytest.mark.parametrize("content", ["", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"])
def test_what_is_no_public_key_is_refused(content):
    with pytest.raises(ValueError, match="it is no public key in PEM"):
        public_key(content)


def test_two_processes_that_make_a_key_have_one(tmp_path):
    code = "from pathlib import Path; from wdgate.signing import new_key; print(new_key(Path('k.pem')).keyid)"
    command = [os.sys.executable, "-c", code]
    started = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert len({one.communicate()[0] for one in started}) == 1
    assert [one.returncode for one in started] == [0, 0]
