"""The command `wdgate check`, on files alone: no server is started for it."""

import contextlib
import csv
import io
import json
import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from flows.__main__ import main

RNG = np.random.default_rng(0)
COLUMNS = ("a", "b", "c", "d")


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Runs `wdgate check` in a folder of its own; gives its exit code, JSON and standard error."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    os.environ["WDGATE_HOME"] = str(tmp_path / "home")

    def command(*words, as_json=True):
        out, told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            code = main(["check", *map(str, words), *(["--json"] if as_json else [])])
        assert "Traceback" not in told.getvalue()
        return code, json.loads(out.getvalue()) if as_json else out.getvalue(), told.getvalue()

    yield command
    # The command tells libraries where things are kept, for the whole process.
    os.environ.clear()
    os.environ.update(before)


def table(rows, seed=0):
    rng = np.random.default_rng(seed)
    made = {name: rng.normal(size=rows).round(6) for name in COLUMNS}
    return pd.DataFrame({**made, "y": np.where(rng.random(rows) < 0.5, "no", "yes")})


@pytest.fixture
def leaky(tmp_path):
    """Train and test with text, of whose test rows the last three are train's."""
    train, test = table(120, 1), table(60, 2)
    train.to_csv(tmp_path / "train.csv", index=False)
    pd.concat([test, train.iloc[:3]]).to_csv(tmp_path / "test.csv", index=False)
    return ("--train", "train.csv", "--test", "test.csv", "--target", "y")


def test_the_failing_rows_are_a_file_and_its_path_is_told(check, leaky, tmp_path):
    code, found, _ = check(*leaky)
    assert (code, found["passed"]) == (1, False)
    with open(found["paths"]["rows"], newline="") as stream:
        rows = list(csv.DictReader(stream))
    copies = [row for row in rows if row["code"] == "DC110"]
    assert [(row["split"], row["row"], row["equals"]) for row in copies] == [
        ("test", str(60 + place), f"train row {place}") for place in range(3)
    ]
    assert found["paths"]["rows"].startswith(str(tmp_path / "home" / "data_docs"))
    printed = check(*leaky, as_json=False)[1]
    assert found["paths"]["rows"] in printed
    assert "Target y: 2 classes (no, yes)" in printed


def test_what_fix_writes_checks_clean_and_the_original_stays(check, leaky, tmp_path):
    before = (tmp_path / "test.csv").read_bytes()
    code, found, _ = check(*leaky, "--fix")
    assert (code, found["passed"], found["fixed"]["removed"]) == (0, True, {"test": 3})
    assert found["fixed"]["by_code"]["DC110"] == 3
    assert found["paths"]["test"] == "test.clean.csv"
    assert (tmp_path / "test.csv").read_bytes() == before
    assert (tmp_path / "test.clean.csv").read_text().splitlines() == before.decode().splitlines()[:61]
    code, again, _ = check("--train", "train.csv", "--test", "test.clean.csv", "--target", "y", "--fix")
    assert (code, again["fixed"]["removed"], set(again["paths"])) == (0, {}, {"report"})
    assert not (tmp_path / "test.clean.clean.csv").exists()


def test_fix_writes_both_files_or_none_and_never_two_into_one(check, leaky, tmp_path):
    for seed, name in enumerate(("a", "b", "o")):
        (tmp_path / name).mkdir()
        leaking = table(120, 1).iloc[seed * 3 : seed * 3 + 3]
        pd.concat([table(60, seed + 7), leaking]).to_csv(tmp_path / name / "data.csv", index=False)
    files = ("--train", "train.csv", "--test", "a/data.csv", "--validation", "b/data.csv", "--target", "y")
    code, refused, _ = check(*files, "--fix", "--out", "o")
    assert (code, refused["outcome"]) == (2, "error")
    assert "would write a/data.csv and b/data.csv both as o/data.clean.csv" in refused["sentence"]
    assert not list(tmp_path.rglob("*.clean.csv"))
    (tmp_path / "a" / "data.clean.csv").write_text("mine")
    code, refused, _ = check(*files, "--fix")
    assert (code, "is there already" in refused["sentence"]) == (2, True)
    assert not (tmp_path / "b" / "data.clean.csv").exists()
    (tmp_path / "a" / "data.clean.csv").unlink()
    found = check(*files, "--fix")[1]
    assert {found["paths"][name] for name in ("test", "validation")} == {
        "a/data.clean.csv",
        "b/data.clean.csv",
    }


def test_one_file_is_split_written_and_checked(check, tmp_path):
    table(300).to_csv(tmp_path / "rows.csv", index=False)
    code, found, _ = check("rows.csv", "--target", "y", "--out", "parts")
    assert (code, found["proposal"]["by"]) == (0, "row")
    assert found["proposal"]["call"] == "split(read_table('rows.csv', 'y', text=True), by='row')"
    parts = {
        name: pd.read_parquet(tmp_path / "parts" / f"rows.{name}.parquet")
        for name in found["proposal"]["rows"]
    }
    assert {name: len(part) for name, part in parts.items()} == found["proposal"]["rows"]
    assert sorted(pd.concat(parts.values())["a"]) == sorted(table(300)["a"])
    assert list(parts["test"]) == [*COLUMNS, "y"]
    assert check("rows.csv", "--target", "y", "--out", "parts")[0] == 0
    (tmp_path / "parts" / "rows.test.parquet").write_bytes(b"mine")
    code, refused, _ = check("rows.csv", "--target", "y", "--out", "parts")
    assert (code, refused["outcome"]) == (2, "error")
    assert "is there already with other rows" in refused["sentence"]
    printed = check("rows.csv", "--target", "y", as_json=False)[1]
    assert "By row: no column looks like a group" in printed
    assert "rows.train.parquet" in printed


def test_a_folder_of_pictures_is_split_by_a_list(check, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for number in range(60):
            pixels = np.kron(RNG.integers(0, 256, (5, 5)), np.ones((3, 3))).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pictures" / name / f"{number}.png")
    code, found, _ = check("pictures")
    listed = pd.read_csv(found["paths"]["splits"])
    assert code == 0
    assert listed["split"].value_counts().to_dict() == found["proposal"]["rows"]
    assert set(listed["path"]) == {f"{name}/{number}.png" for name in ("cat", "dog") for number in range(60)}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "needs a pipeline, a file, or --train"),
        (["--train", "rows.csv", "--target", "y"], "--test is missing"),
        (["rows.csv", "--train", "rows.csv", "--test", "rows.csv"], "rows.csv was given too"),
        (["rows.csv"], "which column of rows.csv is the target? It has a, b, c, d, y"),
        (["rows.csv", "--target", "x"], "has no column 'x'"),
        (["rows.csv", "name=1", "--target", "y"], "'name=1' is for pipelines"),
        (["pipelines.digits", "--target", "y"], "--target is for files"),
        (["nowhere.parquet", "--target", "y"], "there is no file nowhere.parquet"),
        (["empty.csv", "--target", "y"], "empty.csv cannot be read as csv: Empty CSV file"),
        (["ragged.csv", "--target", "y"], "Expected 2 columns, got 3"),
        (["cut.parquet", "--target", "y"], "cut.parquet cannot be read as parquet"),
        (["few.csv", "--target", "y"], "few for such a split"),
        (["folder"], "folder has no pictures"),
        (["folder", "--group", "g"], "--group names a column, but folder is a folder"),
        (["rows.csv", "--target", "y", "--time", "a/b"], "has no column 'a/b'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(check, tmp_path, words, said):
    table(60).to_csv(tmp_path / "rows.csv", index=False)
    table(2).to_csv(tmp_path / "few.csv", index=False)
    table(60).to_parquet(tmp_path / "cut.parquet")
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "cut.parquet").read_bytes()[:-20])
    (tmp_path / "empty.csv").touch()
    (tmp_path / "ragged.csv").write_text("a,y\n1,2\n1,2,3\n")
    (tmp_path / "folder").mkdir()
    code, document, told = check(*words)
    assert (code, document["outcome"]) == (2, "error")
    assert said in document["sentence"]
    assert [line for line in told.splitlines() if line.startswith("wdgate:")] == [
        f"wdgate: {document['sentence']}"
    ]


def test_a_column_that_looks_like_a_group_is_pointed_out_where_none_was_named(check, tmp_path):
    for name, seed in (("train", 1), ("test", 2)):
        patients = np.repeat([f"p{number}" for number in range(30)], 4)
        table(120, seed).assign(patient_id=patients).to_csv(tmp_path / f"{name}.csv", index=False)
    words = ("--train", "train.csv", "--test", "test.csv", "--target", "y")
    assert "patient_id looks like a group: --group patient_id" in check(*words, as_json=False)[1]
    code, found, _ = check(*words, "--group", "patient_id")
    finding = next(finding for finding in found["findings"] if finding["code"] == "DC130")
    assert (code, finding["status"]) == (1, "failed")
    assert "is of the group of train row" in finding["sentence"]


def test_a_file_that_fix_would_empty_is_not_written(check, tmp_path):
    train = table(120, 1)
    train.to_csv(tmp_path / "train.csv", index=False)
    pd.concat([train.iloc[:50], table(5, 2)]).to_csv(tmp_path / "test.csv", index=False)
    words = ("--train", "train.csv", "--test", "test.csv", "--target", "y", "--fix")
    code, _, told = check(*words)
    assert code == 2
    assert "50 of 55 test rows leak: 5 would be left, so that nothing was written" in told
    assert not (tmp_path / "test.clean.csv").exists()
