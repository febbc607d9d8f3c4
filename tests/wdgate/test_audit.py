"""What does an auditor need, offline, and how is it checked without wdgate?"""

import json
import re
import shutil
import subprocess
import zipfile

import pytest

from data_checks.errors import RegistryError
from wdgate.audit import audit


def commands(page):
    """The shell blocks of the page, as one script."""
    return "\n".join(re.findall(r"```sh\n(.*?)```", page, re.DOTALL))


def checked(archive, folder):
    """What the commands of the page print about an unpacked archive."""
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(folder)
    script = commands((folder / "README.md").read_text())
    ran = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    return ran.stdout


def test_the_same_registry_gives_the_same_bytes(two, tmp_path):
    for name in ("a.zip", "b.zip"):
        audit(two, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_all_is_in_it(two, tmp_path):
    audit(two, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        names = set(packed.namelist())
        shown = json.loads(packed.read("registry.json"))
        lines = packed.read("ledger.jsonl").decode().splitlines()
    released = {
        f"promotions/000{n}/{name}" for n in (1, 2) for name in ("certificate.json", "model.onnx.sha256")
    }
    assert names == released | {
        *(
            "README.md",
            "ledger.jsonl",
            "heads.txt",
            "registry.json",
            "trusted.json",
            "model.onnx",
            "champion.txt",
        )
    }
    assert (shown["alias"], sorted(shown["versions"])) == (2, ["1", "2"])
    assert lines == [entry.content for entry in two.ledger.entries()]


@pytest.mark.skipif(not (shutil.which("openssl") and shutil.which("jq")), reason="needs openssl and jq")
class TestTheCommandsOfThePage:
    """They are run as they stand."""

    def test_they_find_nothing_wrong(self, two, tmp_path):
        audit(two, tmp_path / "a.zip")
        said = checked(tmp_path / "a.zip", tmp_path / "unpacked")
        assert "Signature Verified Successfully" in said
        assert "the key has that name" in said
        assert f"the last entry is {two.ledger.entries()[-1].hash}" in said
        assert "broken" not in said
        assert said.strip().splitlines()[-1].endswith("judged")

    def test_they_notice_an_edited_entry(self, two, tmp_path):
        audit(two, tmp_path / "a.zip")
        folder = tmp_path / "unpacked"
        checked(tmp_path / "a.zip", folder)
        ledger = (folder / "ledger.jsonl").read_text()
        (folder / "ledger.jsonl").write_text(ledger.replace("tester", "nobody", 1))
        script = commands((folder / "README.md").read_text())
        ran = subprocess.run(["bash", "-c", script], cwd=folder, capture_output=True, text=True, check=False)
        assert "broken before" in ran.stdout


def test_a_release_that_was_changed_is_named(two, tmp_path):
    release = two.ledger.entries()[-1].body["release_run_id"]
    two.client.log_text(release, "other bytes", "model/model.onnx")
    audit(two, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        assert "promotions/0002: model.onnx" in packed.read("problems.txt").decode()


def test_a_model_without_a_ledger_has_nothing_to_audit(store, tmp_path):
    from wdgate.registry import Registry

    with pytest.raises(RegistryError, match="no ledger"):
        audit(Registry("never-opened", **store), tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_is_one_sentence(two, tmp_path):
    with pytest.raises(RegistryError, match="cannot be written: No such file"):
        audit(two, tmp_path / "missing" / "a.zip")
