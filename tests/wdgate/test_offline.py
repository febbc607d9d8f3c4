"""Whether a certificate verifies, and is about this file."""

import random
import subprocess
import sys

import pytest

from tests.wdgate.conftest import certificate_of, linear_classifier
from wdgate.canonical import sha256
from wdgate.offline import verify_files
from wdgate.trust import TrustedKeys

ITEMS = ["envelope", "statement", "key", "signature", "model.onnx"]


@pytest.fixture(scope="module")
def onnx():
    return linear_classifier()


@pytest.fixture(scope="module")
def certificate(onnx, key, believed):
    # After the key is believed: its first moment is a whole second.
    return certificate_of(sha256(onnx), key).content.encode()


def test_what_was_released_verifies(onnx, certificate, believed):
    items = verify_files(onnx, certificate, believed)
    assert [item.name for item in items] == ITEMS
    assert all(item.ok for item in items)
    assert "digits: It may." in items[1].sentence
    assert "(tester)" in items[3].sentence


def test_sixty_of_sixty_flipped_bits_of_the_file_are_refused(onnx, certificate, believed):
    generator = random.Random(0)
    for _ in range(60):
        bit, changed = generator.randrange(8 * len(onnx)), bytearray(onnx)
        changed[bit // 8] ^= 1 << bit % 8
        items = verify_files(bytes(changed), certificate, believed)
        assert [item.name for item in items if not item.ok] == ["model.onnx"]


def test_sixty_of_sixty_flipped_bits_of_the_certificate_are_refused(onnx, certificate, believed):
    generator = random.Random(1)
    for _ in range(60):
        bit, changed = generator.randrange(8 * len(certificate)), bytearray(certificate)
        changed[bit // 8] ^= 1 << bit % 8
        items = verify_files(onnx, bytes(changed), believed)
        assert len([item for item in items if not item.ok]) == 1
        assert items[-1].name in ITEMS[:4]
        assert not items[-1].ok


def test_a_key_that_is_not_trusted_is_named(onnx, certificate):
    items = verify_files(onnx, certificate, TrustedKeys({}, "trusted.json"))
    assert (items[-1].name, items[-1].ok) == ("key", False)
    assert "is not among the trusted keys of trusted.json" in items[-1].sentence


def test_a_certificate_of_another_model_is_refused_where_one_was_asked_for(onnx, certificate, believed):
    assert all(item.ok for item in verify_files(onnx, certificate, believed, "digits"))
    items = verify_files(onnx, certificate, believed, "letters")
    assert (items[-1].name, items[-1].ok) == ("statement", False)
    assert items[-1].sentence.endswith("it is about digits, not letters")


def test_neither_mlflow_nor_onnxruntime_is_imported():
    code = "import sys, wdgate.offline; print(sorted({'mlflow', 'onnxruntime', 'pandas'} & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
