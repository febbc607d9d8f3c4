"""Which released files may be deleted when, and how, so that nothing is lost that the chain needs?"""

import itertools
import json
import zipfile
from pathlib import Path
from urllib.parse import urlparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import RegistryError
from flows import commands
from flows.arguments import parse
from tests.wdgate import server
from tests.wdgate.conftest import certificate_of, kinds
from wdgate import releases
from wdgate.audit import audit
from wdgate.canonical import sha256
from wdgate.doctor import examine
from wdgate.ledger import Entry
from wdgate.quarantine import quarantine
from wdgate.registry import Registry
from wdgate.retention import finish, prunable, prune
from wdgate.serving import history, load_champion, rollback, verify
from wdgate.standing import Standing, onnx_of


def release(registry, onnx):
    """A promotion with what `verify` looks at, and without rows that anything was judged on."""
    onnx_sha256 = sha256(onnx)
    decision = {"passed": True, "sentence": "It may."}
    body = {"booked": "b" * 64, "question": {"onnx_sha256": onnx_sha256}, "decision": decision}
    judged = registry.ledger.append("judged", body)
    said = {"booked": "b" * 64, "judged": judged.hash, "at": judged.at, "by": judged.by}
    paper = certificate_of(onnx_sha256, registry.signing_key, model=registry.name, ledger=said)
    promoted = {
        "onnx_sha256": onnx_sha256,
        "certificate_sha256": paper.sha256,
        "judged": judged.hash,
        "release_run_id": releases.upload(registry, onnx, paper),
        "sentence": "It may.",
        "gates": "WD201 passed",
    }
    registry.ledger.append("promoted", promoted)
    registry.project()


@pytest.fixture
def six(registry, onnx_file):
    """A registry with six promotions, of which the first is the anchor."""
    for n in range(6):
        release(registry, onnx_file(1 + n / 100))
    return registry


def files(registry):
    """The versions whose model file is there."""
    folders = {n: registry.address(version.run_id) for n, version in registry.versions().items()}
    return [n for n, address in folders.items() if Path(urlparse(address).path, "model/model.onnx").exists()]


def test_what_is_needed_stays_and_the_rest_goes(six):
    gone = prune(six, 1)
    assert [six.version_of(entry) for entry in gone] == [3, 4]
    assert files(six) == [1, 2, 5, 6]  # the anchor, what would be it, the champion before, and the champion
    assert load_champion(six.name, registry=six).version == 6


def test_ten_promotions_are_kept_unless_fewer_are_asked_for(six):
    entries = six.ledger.entries()
    assert prune(six) == ()
    assert (files(six), six.ledger.entries()) == ([1, 2, 3, 4, 5, 6], entries)


def test_a_dry_run_changes_nothing(six):
    entries = six.ledger.entries()
    assert [six.version_of(entry) for entry in prune(six, 0, dry_run=True)] == [3, 4]
    assert (files(six), six.ledger.entries()) == ([1, 2, 3, 4, 5, 6], entries)


def test_the_entry_names_the_hashes_and_the_certificate_stays(six):
    gone = prune(six, 1)
    entry = six.ledger.entries()[-1]
    assert entry.kind == "pruned"
    assert entry.body["files"] == {e.body["release_run_id"]: onnx_of(e) for e in gone}
    folder = Path(urlparse(six.address(gone[0].body["release_run_id"])).path, "model")
    assert {path.name for path in folder.iterdir()} == {"MLmodel", "certificate.json"}
    assert history(six)[-1]["sentence"].startswith("The model file of 2 promotions was deleted")


def test_what_was_pruned_is_not_gone_back_to_and_it_is_told_why(six):
    prune(six, 1)
    with pytest.raises(RegistryError, match=r"model\.onnx of .* was pruned at 20.* by tester"):
        rollback(six, to=3)
    wrong = [item for item in verify(six, 3) if not item.ok]
    assert [item.name for item in wrong] == ["certificate and bytes"]
    assert "was pruned at 20" in wrong[0].sentence


def test_a_rollback_passes_over_what_was_pruned(six):
    prune(six, 0)
    assert [rollback(six), rollback(six)] == [5, 2]


def test_a_rollback_that_is_overtaken_by_pruning_leaves_the_champion(six, monkeypatch):
    read = releases.read_promoted

    def overtaken(registry, entry):
        found = read(registry, entry)
        monkeypatch.setattr(releases, "read_promoted", read)
        prune(registry, 0)
        return found

    monkeypatch.setattr(releases, "read_promoted", overtaken)
    with pytest.raises(RegistryError, match="changed just now"):
        rollback(six, to=3)
    assert load_champion(six.name, registry=six).version == 6


def test_the_doctor_finds_nothing_wrong_and_finishes_what_a_crash_left(six, monkeypatch):
    def killed(_):
        raise RegistryError("killed")

    with monkeypatch.context() as crash:
        crash.setattr(type(six), "delete", lambda self, address: killed(address))
        with pytest.raises(RegistryError, match="killed"):
            prune(six, 1)
    assert files(six) == [1, 2, 3, 4, 5, 6]
    found = [item for item in examine(six) if item.name == "pruned"]
    assert all(item.ok for item in found)
    assert "2 pruned model files were still there" in found[0].sentence
    assert len(found) == 3
    assert files(six) == [1, 2, 5, 6]


def test_pruning_again_finishes_and_writes_no_second_entry(six, monkeypatch):
    with monkeypatch.context() as crash:
        crash.setattr("wdgate.retention.finish", lambda _: None)
        prune(six, 1)
    assert files(six) == [1, 2, 3, 4, 5, 6]
    assert prune(six, 1) == ()
    assert files(six) == [1, 2, 5, 6]
    assert kinds(six).count("pruned") == 1
    assert finish(six) == 0


def test_the_doctor_names_a_certificate_that_was_changed(six):
    gone = prune(six, 1)
    six.client.log_text(gone[0].body["release_run_id"], "{}", "model/certificate.json")
    wrong = [item.sentence for item in examine(six) if not item.ok]
    assert len(wrong) == 1
    assert "certificate.json" in wrong[0]


def test_an_audit_tells_what_was_pruned_and_holds_its_certificate(six, tmp_path):
    prune(six, 1)
    audit(six, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as packed:
        lines = packed.read("pruned.txt").decode().splitlines()
        names = packed.namelist()
    assert [line.partition(":")[0] for line in lines] == ["promotions/0003", "promotions/0004"]
    assert "promotions/0003/certificate.json" in names
    assert "problems.txt" not in names


def test_nothing_is_pruned_where_the_champion_does_not_verify(six):
    release = six.versions()[6].run_id
    six.client.log_text(release, "other bytes", "model/model.onnx")
    with pytest.raises(RegistryError, match=r"while it does not verify: model\.onnx"):
        prune(six, 0)
    assert files(six) == [1, 2, 3, 4, 5, 6]


def test_nothing_is_pruned_in_quarantine(six):
    quarantine(six, "complaints")
    with pytest.raises(RegistryError, match="complaints"):
        prune(six, 0)


def test_a_number_below_0_is_refused(registry):
    with pytest.raises(RegistryError, match="at least 0 promotions can be kept, got -1"):
        prune(registry, -1)


def test_bytes_that_are_promoted_again_are_served_again(six, onnx_file):
    prune(six, 1)
    release(six, onnx_file(1.02))
    assert load_champion(six.name, registry=six).version == 7
    # The older copy of the same bytes is still the one that was pruned.
    assert "was pruned" in next(item.sentence for item in verify(six, 3) if not item.ok)


def test_many_files_are_recorded_in_several_entries(six, monkeypatch):
    monkeypatch.setattr("wdgate.retention.MOST_IN_ONE_ENTRY", 1)
    assert len(prune(six, 1)) == 2
    assert kinds(six).count("pruned") == 2
    assert files(six) == [1, 2, 5, 6]


def test_files_behind_a_server_are_deleted_through_it(onnx_file, tmp_path):
    with server.mlflow_server(tmp_path) as address:
        registry = Registry("far", address, by="tester")
        registry.init()
        paper = certificate_of(sha256(onnx_file()), registry.signing_key, model="far")
        run_id = releases.upload(registry, onnx_file(), paper)
        registry.ledger.append("pruned", {"files": {run_id: paper.onnx_sha256}})
        assert (finish(registry), finish(registry)) == (1, 0)
    assert not list(tmp_path.rglob("model.onnx"))
    assert len(list(tmp_path.rglob("certificate.json"))) == 1


@pytest.mark.parametrize(("words", "said"), [([], "was deleted"), (["--dry-run"], "would be deleted")])
def test_the_command_names_the_versions(six, monkeypatch, capsys, words, said):
    monkeypatch.setattr(commands, "_registry", lambda *_: six)
    assert commands.prune(parse(["prune", six.name, "--keep", "1", *words]), None) == 0
    assert capsys.readouterr().out == f"model.onnx of {six.name} {said}: versions 3, 4.\n"


def test_the_command_answers_a_program(six, monkeypatch, capsys):
    monkeypatch.setattr(commands, "_registry", lambda *_: six)
    commands.prune(parse(["prune", six.name, "--json"]), None)
    assert json.loads(capsys.readouterr().out) == {"model": six.name, "dry_run": False, "versions": []}


def happened(steps):
    """What any course of promotions and rollbacks leaves, each of which chooses what is there."""
    standing, number = Standing(), itertools.count()
    for kind, value in steps:
        if kind == "promote":
            run_id = f"run{next(number)}"
            body = {
                "onnx_sha256": str(value),
                "release_run_id": run_id,
                "superior": {"shown": value % 3 == 0},
            }
            standing = standing.after(Entry("promoted", body, "", run_id, "a"))
        elif kind == "prune":
            standing = pruned(standing, value % 4)
        elif there := [entry for entry in standing.promoted if standing.pruned_by(entry) is None]:
            standing = taken_back(standing, there[value % len(there)])
    return standing


def pruned(standing, keep):
    gone = {entry.body["release_run_id"]: onnx_of(entry) for entry in prunable(standing, keep)}
    return standing.after(Entry("pruned", {"files": gone}, "", "t", "a"))


def taken_back(standing, to):
    return standing.after(Entry("rolled_back", {"from": standing.champion.hash, "to": to.hash}, "", "t", "a"))


def courses(*kinds):
    return st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, 9)), max_size=30).map(happened)


@given(courses("promote", "promote", "roll", "prune"))
def test_champion_and_anchor_have_their_files_after_any_course_of_events(standing):
    needed = [standing.champion, standing.anchor]
    assert all(standing.pruned_by(entry) is None for entry in needed if entry)


@given(courses("promote", "promote", "roll"), st.integers(0, 3))
def test_pruning_changes_no_anchor_now_or_after_a_rollback(standing, keep):
    after = pruned(standing, keep)
    assert after.anchor == standing.anchor
    for to in after.promoted:
        if after.pruned_by(to) is None:
            assert taken_back(after, to).anchor == taken_back(standing, to).anchor


@given(courses("promote", "promote", "roll", "prune"), st.integers(0, 3))
def test_the_last_promotions_keep_their_files_and_pruning_again_finds_nothing(standing, keep):
    after = pruned(standing, keep)
    new = set(after.pruned) - set(standing.pruned)
    last = standing.promoted[max(len(standing.promoted) - keep, 0) :]
    assert not new & {entry.body["release_run_id"] for entry in last}
    assert prunable(after, keep) == ()


def test_a_run_that_is_promoted_again_is_no_longer_pruned():
    promoted = Entry("promoted", {"onnx_sha256": "1", "release_run_id": "run"}, "", "t", "a")
    gone = Entry("pruned", {"files": {"run": "1"}}, "", "t", "a")
    standing = Standing.of([promoted, gone])
    assert standing.pruned_by(promoted) == gone
    assert standing.after(promoted).pruned_by(promoted) is None
