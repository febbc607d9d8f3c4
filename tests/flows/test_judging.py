"""The command `wdgate judge`, on files alone: no server is started for it."""

import contextlib
import io
import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

from flows.__main__ import main

RNG = np.random.default_rng(0)


@pytest.fixture
def judge(tmp_path, monkeypatch):
    """Runs `wdgate judge` in a folder of its own; gives its exit code, JSON and standard error."""
    before = dict(os.environ)
    monkeypatch.chdir(tmp_path)
    os.environ["WDGATE_HOME"] = str(tmp_path / "home")

    def command(*words, as_json=True):
        out, told = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(told):
            code = main(["judge", *map(str, words), *(["--json"] if as_json else [])])
        assert "Traceback" not in told.getvalue(), told.getvalue()
        return code, json.loads(out.getvalue()) if as_json else out.getvalue(), told.getvalue()

    yield command
    # The command tells libraries where things are kept, for the whole process.
    os.environ.clear()
    os.environ.update(before)


def table(rows, seed=0, classes=("no", "yes")):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, rows)).round(6)
    truth = (rng.random(rows) < 1 / (1 + np.exp(-4 * a))).astype(int)
    names = np.array(classes)[truth]
    site = np.where(rng.random(rows) < 0.3, "A", "B")
    return pd.DataFrame(
        {"a": a, "b": b, "y": names, "row": [f"{seed}-{i}" for i in range(rows)], "site": site}
    )


def linear(path, weights, output="logits", classes=None):
    """Logits of two classes by the columns a and b, or scikit-learn's classifier where classes are named."""
    weights = np.array(weights, np.float32)
    puts = [helper.make_tensor_value_info("X", TensorProto.FLOAT, ("N", len(weights)))]
    if classes is None:
        nodes = [helper.make_node("MatMul", ["X", "w"], [output])]
        outputs = [helper.make_tensor_value_info(output, TensorProto.FLOAT, ("N", weights.shape[1]))]
    else:
        nodes = [
            helper.make_node(
                "LinearClassifier",
                ["X"],
                ["label", "probabilities"],
                domain="ai.onnx.ml",
                coefficients=weights.T.ravel().tolist(),
                intercepts=[0.0] * weights.shape[1],
                post_transform="SOFTMAX",
                classlabels_strings=list(classes),
            )
        ]
        outputs = [
            helper.make_tensor_value_info("label", TensorProto.STRING, ("N",)),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ("N", weights.shape[1])),
        ]
    graph = helper.make_graph(nodes, "graph", puts, outputs, [numpy_helper.from_array(weights, "w")])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    path.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())


WEIGHTS = [[-2.0, 2.0], [0.0, 0.0]]
ROWS = ("--test", "test.parquet", "--target", "y", "--id", "row", "--key", "site")


@pytest.fixture
def files(tmp_path):
    """Test and train rows, a model of scikit-learn's kind, one of torch's, a bad one, and predictions."""
    test = table(500, 1)
    test.to_parquet(tmp_path / "test.parquet")
    table(500, 2).to_parquet(tmp_path / "train.parquet")
    linear(tmp_path / "sklearn.onnx", WEIGHTS, classes=("no", "yes"))
    linear(tmp_path / "torch.onnx", WEIGHTS)
    linear(tmp_path / "bad.onnx", [[2.0, -2.0], [0.0, 0.0]], classes=("no", "yes"))
    yes = 1 / (1 + np.exp(-4 * test["a"].to_numpy()))
    made = pd.DataFrame({"row": test["row"], "no": 1 - yes, "yes": yes}).sample(frac=1, random_state=0)
    made.to_parquet(tmp_path / "predictions.parquet")
    return tmp_path


def test_a_model_of_scikit_learns_is_judged_by_its_file_alone(judge, files):
    code, found, _ = judge("--onnx", "sklearn.onnx", *ROWS)
    assert (code, found["outcome"]) == (0, "passed")
    assert found["rows"] == 500
    assert {gate["name"] for gate in found["gates"] if gate["status"] == "not applicable"} == {
        "no test row in train",
        "better than train's constant by nll",
    }


def test_gates_that_are_not_met_refuse(judge, files):
    code, found, _ = judge("--onnx", "sklearn.onnx", *ROWS, "--gate", "at_least(accuracy, .999)", "skill()")
    assert (code, found["outcome"]) == (1, "refused")
    assert [gate["code"] for gate in found["gates"]][:3] == ["WD201", "WD202", "WD207"]
    assert judge("--onnx", "bad.onnx", *ROWS)[0] == 1


def test_the_train_rows_are_asked_for_leaks(judge, files):
    code, found, _ = judge("--onnx", "sklearn.onnx", *ROWS, "--train", "train.parquet")
    assert code == 0
    assert found["findings"]
    code, found, _ = judge("--onnx", "sklearn.onnx", *ROWS, "--train", "test.parquet")
    assert (code, found["gates"][0]["status"]) == (1, "failed")


def test_a_slice_is_found_on_validation_rows(judge, files):
    table(500, 4).to_parquet("validation.parquet")
    files = ("--train", "train.parquet", "--validation", "validation.parquet")
    code, found, _ = judge("--onnx", "sklearn.onnx", *ROWS, *files)
    assert code == 0
    assert found["slices"]["found on validation"][0]["value"].startswith("a ")
    code, found, _ = judge("--onnx", "sklearn.onnx", *ROWS, *files[2:])
    assert (code, "goes with --train" in found["sentence"]) == (2, True)


def test_predictions_are_judged_as_the_model_that_made_them(judge, files):
    gates = ("--gate", "at_least(accuracy, .7)", "skill()")
    by_model = judge("--onnx", "sklearn.onnx", *ROWS, *gates)[1]
    code, found, _ = judge("--predictions", "predictions.parquet", *ROWS, *gates)
    assert code == 0
    # The model takes a row in single precision.
    for one, other in zip(found["gates"], by_model["gates"], strict=True):
        assert (one["name"], one["status"]) == (other["name"], other["status"])
        assert one["observed"] == (other["observed"] and pytest.approx(other["observed"], abs=1e-5))


def test_a_champion_further_sets_and_slices(judge, files):
    table(300, 3).to_parquet("winter.parquet")
    code, found, _ = judge(
        *("--onnx", "bad.onnx", *ROWS, "--champion", "sklearn.onnx", "--also", "winter=winter.parquet"),
        *("--slice", "site", "--gate", "no_worse(accuracy, .05)", "slices(site, at_least=.6)"),
        *("--gate", "on(winter, at_least(accuracy, .6))"),
    )
    assert code == 1
    asked = {gate["code"]: gate["status"] for gate in found["gates"]}
    assert (asked["WD205"], asked["WD210"], asked["WD202"]) == ("failed", "failed", "failed")
    assert found["also"]["winter"]["accuracy"]["rows"] == 300
    assert {one["value"] for one in found["slices"]["site"]} == {"A", "B"}


def test_a_declared_slice_that_no_row_is_of_refuses(judge, files):
    gate = "slices(site, at_least=.5, values=[A, B, C])"
    code, found, _ = judge("--onnx", "sklearn.onnx", *ROWS, "--slice", "site", "--gate", gate)
    assert code == 1
    assert "No test row is of the slice C of site" in found["sentence"]


def test_the_order_of_text_classes_is_told_where_the_file_does_not_say_it(judge, files):
    code, found, _ = judge("--onnx", "torch.onnx", *ROWS)
    assert code == 2
    assert "names no classes, but the target holds no, yes: --classes tells" in found["sentence"]
    assert judge("--onnx", "torch.onnx", *ROWS, "--classes", "no,yes")[0] == 0
    assert judge("--onnx", "torch.onnx", *ROWS, "--classes", "yes,no")[0] == 1


def test_whole_numbers_from_0_are_the_columns(judge, files):
    frame = table(500, 1).assign(y=lambda t: (t["y"] == "yes").astype(int))
    frame.to_parquet("test.parquet")
    assert judge("--onnx", "torch.onnx", *ROWS)[0] == 0
    linear(files / "three.onnx", [[-2.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    code, found, _ = judge("--onnx", "three.onnx", *ROWS)
    assert code == 2
    assert "expected a column for each of 0, 1; --classes tells the model's classes" in found["sentence"]


def test_a_regression_is_judged(judge, files):
    frame = table(500, 1).assign(y=lambda t: 4 * t["a"] + RNG.normal(size=500))
    frame.to_parquet("test.parquet")
    linear(files / "value.onnx", [[4.0], [0.0]], "out")
    assert judge("--onnx", "value.onnx", *ROWS, "--gate", "at_most(absolute_error, 1)")[0] == 0


def test_a_person_reads_tables(judge, files):
    code, out, _ = judge("--onnx", "sklearn.onnx", *ROWS, "--slice", "site", as_json=False)
    assert code == 0
    assert "sklearn.onnx: passed" in out
    assert "better than a constant by nll" in out
    assert "Worst of 2 slices by site" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "needs --onnx FILE or --predictions FILE, but neither was given"),
        (("--onnx", "sklearn.onnx", "--predictions", "predictions.parquet"), "but both were given"),
        (("--onnx", "sklearn.onnx"), "needs --test FILE"),
        (
            ("--predictions", "predictions.parquet", "--test", "test.parquet", "--target", "y"),
            "--id COLUMN names",
        ),
        (("--onnx", "none.onnx", *ROWS), "none.onnx cannot be read: No such file"),
        (("--onnx", "test.parquet", *ROWS), "cannot be opened as an ONNX file"),
        (("--onnx", "sklearn.onnx", "--test", "test.parquet"), "which column of test.parquet is the target"),
        (("--onnx", "sklearn.onnx", *ROWS, "--key", "b"), "takes 2 columns, but the rows have 1"),
        (("--onnx", "sklearn.onnx", *ROWS[:-2]), "one matrix of numbers, but column site holds text"),
        (
            ("--onnx", "sklearn.onnx", *ROWS, "--classes", "no,maybe"),
            "holds 'yes', which is none of the classes",
        ),
        (("--onnx", "sklearn.onnx", *ROWS, "--gate", "at_most(accuracy, 1)"), "better when higher"),
        (("--onnx", "sklearn.onnx", *ROWS, "--gate", "at_best(accuracy, 1)"), "did you mean at_least"),
        (("--onnx", "sklearn.onnx", *ROWS, "--slice", "sight"), "has no column 'sight'; did you mean 'site'"),
        (("--onnx", "sklearn.onnx", *ROWS, "--also", "winter"), "expected NAME=FILE"),
        (("--onnx", "sklearn.onnx", *ROWS, "--also", "test=test.parquet"), "a name that no other set has"),
        (("--onnx", "sklearn.onnx", *ROWS, "--alpha", "2"), "alpha must be above 0 and at most 0.25"),
    ],
)
def test_what_cannot_be_carried_out_is_one_sentence(judge, files, words, sentence):
    code, found, _ = judge(*words)
    assert code == 2
    assert sentence in found["sentence"]
    assert "\n" not in found["sentence"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda t: t[7:], "lacks 7 ids of the test set"),
        (lambda t: pd.concat([t, t[:2]]), "has 2 ids twice"),
        (lambda t: t.assign(yes=2 * t["yes"]), "no probabilities on"),
        (
            lambda t: t.assign(yes=np.where(np.arange(len(t)) == 3, np.nan, t["yes"])),
            "NaN or infinite on 1 of",
        ),
        (lambda t: t.drop(columns="no"), "no column of the probability of 'no'"),
        (lambda t: t.drop(columns="row"), "has no column 'row'"),
    ],
)
def test_predictions_that_miss_something_are_one_sentence(judge, files, change, sentence):
    change(pd.read_parquet("predictions.parquet")).to_parquet("changed.parquet")
    code, found, _ = judge("--predictions", "changed.parquet", *ROWS)
    assert (code, sentence in found["sentence"]) == (2, True), found["sentence"]


BASE = """
import importlib.util, sys
apart = {"torch", "prefect", "rich", "great_expectations", "sklearn", "PIL", "matplotlib", "onnx", "psutil"}
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in apart:
            raise ModuleNotFoundError(name, name=name)
sys.meta_path.insert(0, Absent())
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name in apart else found(name, package)
from flows.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_the_base_install_suffices_without_train_rows_and_says_so_with_them(files):
    def run(*words):
        environment = {**os.environ, "WDGATE_HOME": str(files / "home")}
        words = (sys.executable, "-c", BASE, "judge", "--onnx", "sklearn.onnx", *ROWS, *words)
        return subprocess.run(words, cwd=files, env=environment, capture_output=True, text=True, check=False)

    done = run()
    assert done.returncode == 0, done.stderr
    assert "WD207  passed" in done.stdout
    done = run("--train", "train.parquet")
    assert done.returncode == 2
    assert "pip install 'wdgate[checks]'" in done.stderr


NAMED = (*ROWS, "--train", "train.parquet", "--name", "churn")


def test_a_model_of_somebody_elses_is_promoted_the_same_is_unchanged_a_worse_one_is_refused(judge, files):
    from wdgate import load_champion

    gates = ("--gate", "skill()", "no_worse(accuracy, .05)")
    first = judge("--onnx", "sklearn.onnx", *NAMED, *gates, "--promote")
    again = judge("--onnx", "sklearn.onnx", *NAMED, *gates, "--promote")
    worse = judge("--onnx", "bad.onnx", *NAMED, *gates, "--promote")
    assert [code for code, _, _ in (first, again, worse)] == [0, 0, 1]
    assert [found["outcome"] for _, found, _ in (first, again, worse)] == ["promoted", "unchanged", "refused"]
    assert {gate["code"]: gate["status"] for gate in worse[1]["gates"]}["WD205"] == "failed"
    assert (first[1]["model"], first[1]["version"], first[1]["file"]) == ("churn", 1, "sklearn.onnx")
    champion = load_champion("churn")
    predicted = champion.predict(np.array([[2.0, 0.0], [-2.0, 0.0]], np.float32))
    assert predicted["label"].tolist() == ["yes", "no"]


def test_a_model_that_is_only_judged_under_a_name_is_no_champion(judge, files):
    from flows.__main__ import main

    code, out, _ = judge("--onnx", "sklearn.onnx", *NAMED, as_json=False)
    assert (code, "churn, sklearn.onnx: passed" in out, "1 of 20" in out) == (0, True, True)
    code, found, _ = judge("--predictions", "predictions.parquet", *NAMED)
    assert (code, found["outcome"], found["decision"]["look"]) == (0, "passed", 2)
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(["verify", "churn"]) == 1


def test_a_name_that_was_opened_for_gates_is_asked_those(judge, files):
    from flows.__main__ import main

    opened = ["init", "churn", "--gate", "at_least(accuracy, .5)", "--looks", "5"]
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(opened) == 0
    code, found, _ = judge("--onnx", "sklearn.onnx", *NAMED, "--promote")
    assert (code, [gate["name"] for gate in found["gates"]][1]) == (0, "accuracy at least 0.5")
    code, found, _ = judge("--onnx", "sklearn.onnx", *NAMED, "--gate", "skill()")
    assert (code, "was opened for at_least(accuracy, .5)" in found["sentence"]) == (2, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--onnx", "sklearn.onnx", *ROWS, "--promote"), "--promote needs --name"),
        (("--predictions", "predictions.parquet", *NAMED, "--promote"), "judged and never promoted"),
        (("--onnx", "sklearn.onnx", *ROWS, "--name", "churn"), "--name needs --train FILE"),
        (("--onnx", "sklearn.onnx", *NAMED, "--champion", "bad.onnx"), "knows its champion"),
        (("--onnx", "sklearn.onnx", *ROWS, "--gate", "no_worse(accuracy, .1)"), "--champion FILE"),
        (("--onnx", "sklearn.onnx", *NAMED, "--name", "../x"), "a model's name is up to 100 letters"),
    ],
)
def test_what_cannot_be_counted_is_one_sentence(judge, files, words, sentence):
    code, found, _ = judge(*words)
    assert (code, sentence in found["sentence"]) == (2, True), found["sentence"]
