"""How a person makes a key, and verifies a model that came as two files."""

import json

import pytest

from flows.__main__ import main
from tests.wdgate.conftest import certificate_of, linear_classifier
from wdgate.canonical import sha256
from wdgate.signing import new_key, read_key
from wdgate.trust import TrustedKeys


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A key that is trusted, and a model with its certificate, in the current folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("WDGATE_HOME", "WDGATE_TRUSTED_KEYS", "WDGATE_SIGNING_KEY", "MLFLOW_TRACKING_URI"):
        monkeypatch.setenv(name, "")
    assert main(["key", "signing.pem", "--trusted", "trusted.json", "--note", "ann"]) == 0
    onnx = linear_classifier()
    (tmp_path / "model.onnx").write_bytes(onnx)
    certificate = certificate_of(sha256(onnx), read_key("signing.pem"))
    (tmp_path / "certificate.json").write_text(certificate.content)
    return tmp_path


VERIFY = ["verify", "--onnx", "model.onnx", "--certificate", "certificate.json"]


def test_two_files_verify_and_the_ledger_was_not_consulted(files, capsys):
    assert main([*VERIFY, "--trusted-keys", "trusted.json"]) == 0
    said = capsys.readouterr().out
    assert "The ledger was not consulted" in said
    assert "(ann)" in said


def test_the_setting_names_the_trusted_keys_too(files, monkeypatch, capsys):
    monkeypatch.setenv("WDGATE_TRUSTED_KEYS", "trusted.json")
    assert main(VERIFY) == 0
    assert "by trusted.json" in " ".join(capsys.readouterr().out.split())


def test_json_is_one_document(files, capsys):
    capsys.readouterr()
    assert main([*VERIFY, "--trusted-keys", "trusted.json", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verified"], told["ledger_consulted"]) == (True, False)
    assert [item["name"] for item in told["items"]][-1] == "model.onnx"


@pytest.mark.parametrize(
    ("name", "item"),
    [("model.onnx", "model.onnx"), ("certificate.json", "envelope"), ("trusted.json", "key")],
)
def test_what_does_not_verify_is_named_with_exit_code_1(files, capsys, name, item):
    if name == "trusted.json":
        (files / name).unlink()
        main(["key", "other.pem", "--trusted", name])
    else:
        (files / name).write_bytes((files / name).read_bytes() + b" ")
    capsys.readouterr()
    assert main([*VERIFY, "--trusted-keys", "trusted.json", "--json"]) == 1
    assert [one["name"] for one in json.loads(capsys.readouterr().out)["items"] if not one["ok"]] == [item]


def test_a_model_of_another_name_is_refused(files, capsys):
    assert main([*VERIFY, "digits", "--trusted-keys", "trusted.json"]) == 0
    assert main([*VERIFY, "letters", "--trusted-keys", "trusted.json"]) == 1


@pytest.mark.parametrize("name", ["model.onnx", "certificate.json", "trusted.json"])
def test_a_file_that_cannot_be_read_has_exit_code_2(files, capsys, name):
    (files / name).unlink()
    assert main([*VERIFY, "--trusted-keys", "trusted.json"]) == 2
    assert f"{name} cannot be read: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["verify"], VERIFY[:3], ["verify", "digits", *VERIFY[3:]], ["verify", "--trusted-keys", "trusted.json"]],
)
def test_half_a_question_has_exit_code_2(files, capsys, words):
    assert main(words) == 2
    assert "goes with" in (said := capsys.readouterr().err) or "needs" in said


def test_a_key_is_made_once_and_its_public_half_is_told(files, capsys):
    capsys.readouterr()
    assert main(["key", "signing.pem", "--days", "30", "--note", "bob"]) == 0
    told = TrustedKeys.parse(capsys.readouterr().out, "stdout")
    assert list(told.keys) == [new_key(files / "signing.pem").keyid]
    assert "PRIVATE" not in told.content


@pytest.mark.parametrize("days", ["0", "-1", "99999999999"])
def test_days_that_are_none_are_refused(files, capsys, days):
    assert main(["key", "new.pem", f"--days={days}"]) == 2
    assert "--days must be from 1 to 36500" in capsys.readouterr().err
    assert not (files / "new.pem").exists()
