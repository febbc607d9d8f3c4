"""Whether docs/certificate.md says what is so, and its lines of shell do what they say."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jsonschema
import pytest

from tests.wdgate.conftest import TASK, certificate_of, linear_classifier, report_on
from wdgate.canonical import sha256
from wdgate.certificate import schema
from wdgate.gates.gates import at_least
from wdgate.offline import verify_files
from wdgate.promotion import promote
from wdgate.signing import new_key
from wdgate.trust import FIELDS, TrustedKeys, trusted

PAGE = (Path(__file__).parents[2] / "docs" / "certificate.md").read_text(encoding="utf-8")
NEEDED = ("openssl", "jq", "base64", "sha256sum", "bash")
NOW = datetime.now(UTC)


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def names(part):
    """Every field that a part of the schema names, in it and below it."""
    if isinstance(part, list):
        return {name for item in part for name in names(item)}
    if not isinstance(part, dict):
        return set()
    below = {name for item in part.values() for name in names(item)}
    return below | set(part["properties"] if isinstance(part.get("properties"), dict) else ())


def test_every_field_of_the_schema_is_explained():
    assert len(names(schema())) > 30
    assert {name for name in names(schema()) if f"`{name}`" not in PAGE} == set()


def test_every_field_of_a_real_certificate_is_explained(registry, rows, onnx_file):
    splits, plan = rows(), {"run_id": "run", "alpha": 0.05, "looks": 5, "evidence": {}}
    gates, report = (at_least("accuracy", 0.9),), report_on(splits)
    promotion = promote(
        onnx_file(), splits, TASK, gates, report, name=registry.name, registry=registry, **plan
    )
    predicate = promotion.certificate["predicate"]
    fields = [*predicate, *predicate["question"], *predicate["decision"], *predicate["decision"]["gates"][0]]
    assert [name for name in fields if f"`{name}`" not in PAGE] == []
    jsonschema.Draft202012Validator(schema()).validate(promotion.certificate)


def test_the_example_fits_the_schema():
    jsonschema.Draft202012Validator(schema()).validate(json.loads(blocks("json")[0]))


def test_the_example_of_trusted_keys_has_the_fields_that_are_read():
    assert tuple(json.loads(blocks("json")[1])["keys"][0]) == FIELDS


@pytest.fixture
def files(tmp_path):
    """Two released files and the keys that are trusted; the key's entry with other values where given."""

    def files(**changes):
        key, onnx = new_key(tmp_path / "keys" / "signing.pem"), linear_classifier()
        entry = replace(trusted(key), **{"not_before": NOW - timedelta(days=1), **changes})
        (tmp_path / "model.onnx").write_bytes(onnx)
        (tmp_path / "certificate.json").write_text(certificate_of(sha256(onnx), key).content)
        (tmp_path / "trusted.json").write_text(TrustedKeys({key.keyid: entry}, "").content)
        return tmp_path

    return files


def by_hand(folder):
    """Whether the shell of the page says that the files in a folder are right."""
    command = ["bash", "-c", blocks("sh")[0]]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False).returncode == 0


def by_wdgate(folder):
    onnx, certificate = ((folder / name).read_bytes() for name in ("model.onnx", "certificate.json"))
    return all(item.ok for item in verify_files(onnx, certificate, TrustedKeys.read(folder / "trusted.json")))


needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in NEEDED), reason=f"needs {', '.join(NEEDED)}"
)


@needs_tools
def test_the_shell_finds_right_what_is_right(files):
    folder = files()
    assert by_wdgate(folder)
    assert by_hand(folder)
    assert by_hand(files(not_after=NOW + timedelta(days=1)))


@needs_tools
@pytest.mark.parametrize(
    "changes",
    [
        {"revoked": NOW},
        {"not_after": NOW - timedelta(hours=1)},
        {"not_before": NOW + timedelta(days=1)},
    ],
)
def test_the_shell_refuses_a_key_that_is_not_believed(files, changes):
    folder = files(**changes)
    assert not by_wdgate(folder)
    assert not by_hand(folder)


@needs_tools
@pytest.mark.parametrize("name", ["model.onnx", "certificate.json"])
def test_the_shell_refuses_a_changed_file(files, name):
    folder = files()
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    assert not by_wdgate(folder)
    assert not by_hand(folder)


@needs_tools
def test_the_shell_refuses_another_key(files, tmp_path):
    folder = files()
    key = new_key(tmp_path / "other.pem")
    (folder / "trusted.json").write_text(TrustedKeys({key.keyid: trusted(key)}, "").content)
    assert not by_wdgate(folder)
    assert not by_hand(folder)
