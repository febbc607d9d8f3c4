"""One registry a session, and what is promoted in it: rows of two numbers, and files that classify them."""

import itertools
from datetime import UTC, datetime

import numpy as np
import pytest

from data_checks.report import DataReport, Finding
from data_checks.splits import Split, Splits
from wdgate.certificate import certify
from wdgate.evaluation.tasks import Classification
from wdgate.gates.gates import at_least, no_worse
from wdgate.promotion import promote
from wdgate.registry import Registry
from wdgate.signing import new_key
from wdgate.trust import TrustedKeys, trust, trusted

TASK = Classification(("left", "right"))
GATES = (at_least("accuracy", 0.9), no_worse("accuracy", 0.05))
_numbers = itertools.count()


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """The settings of a promoter: a key, and the file of trusted keys that names it."""
    folder = tmp_path_factory.mktemp("keys")
    trust(folder / "trusted.json", new_key(folder / "signing.pem"), note="tester")
    return {
        "WDGATE_SIGNING_KEY": str(folder / "signing.pem"),
        "WDGATE_TRUSTED_KEYS": str(folder / "trusted.json"),
    }


@pytest.fixture(scope="module", autouse=True)
def settings(keys):
    """Every test promotes with that key, if it says nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in keys.items():
            patch.setenv(name, value)
        yield keys


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """Where a registry is: a SQLite store and a folder for files, as `Registry` takes them."""
    folder = tmp_path_factory.mktemp("registry")
    return {
        "tracking_uri": f"sqlite:///{folder}/mlflow.db",
        "artifact_location": (folder / "artifacts").as_uri(),
        "by": "tester",
    }


@pytest.fixture
def registry(store):
    """A registry of a name that no other test uses, initialised."""
    registry = Registry(f"model{next(_numbers)}x", **store)
    registry.init()
    yield registry
    # Looks are counted over all ledgers, and a test may have broken this one.
    for model in registry.client.search_registered_models(f"name LIKE '{registry.name}%_ledger'"):
        registry.client.delete_registered_model(model.name)


@pytest.fixture
def rows():
    """Makes splits of (n, 2) numbers; the class is whether the first is above 0."""
    return lambda seed=None, n=400: _rows(next(_numbers) + 1000 if seed is None else seed, n)


def _rows(seed, n):
    generator = np.random.default_rng(seed)

    def part(size):
        inputs = generator.normal(size=(size, 2)).astype(np.float32)
        return Split(inputs, (inputs[:, 0] > 0).astype(np.int64))

    return Splits(part(50), part(20), part(n))


def report_on(splits, *, passed=True, left_out=None):
    """A data report on splits, with one finding."""
    import pandas as pd

    finding = Finding("DC100", "columns", "passed" if passed else "failed", "The columns are there.")
    left_out = np.zeros(len(splits.test), bool) if left_out is None else left_out
    return DataReport((finding,), pd.DataFrame(), splits.fingerprints, left_out)


def certificate_of(onnx_sha256, key, **changes):
    """A certificate as a promotion makes it, with other values where they are given."""
    gate = {"code": "WD201", "name": "accuracy at least 0.9", "status": "passed", "sentence": "It is."}
    question = {"onnx_sha256": onnx_sha256, "test": "t", "rows": "r", "gates": [], "alpha": 0.05, "looks": 5}
    claims = {
        "signed_at": datetime.now(UTC).isoformat(timespec="microseconds"),
        "model": "digits",
        "judged": {
            "question": question,
            "decision": {"passed": True, "sentence": "It may.", "gates": [gate]},
        },
        "ledger": {"booked": "b" * 64, "judged": "a" * 64, "at": "2026-01-01T00:00:00+00:00", "by": "ann"},
        "fingerprints": {"train": "1", "test": "2"},
        "report": {"passed": True, "findings": []},
        "evidence": {"decay": {"weight_decay": 0.3}, "bound": float("inf")},
    }
    return certify(onnx_sha256, key, **{**claims, **changes})


@pytest.fixture
def reported():
    """Makes a data report on splits."""
    return report_on


@pytest.fixture
def onnx_file():
    """Makes an ONNX file that classifies by a weighted sum of the two numbers."""
    return linear_classifier


def linear_classifier(first=1.0, second=0.0):
    """`probs` (N, 2) is the softmax of (-s, s), `predicted` (N,) the larger; s = 8 (first a + second b)."""
    from onnx import TensorProto, helper

    weights = 8 * np.array([[-first, first], [-second, second]], np.float32)
    nodes = [
        helper.make_node("MatMul", ["inputs", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probs"], axis=1),
        helper.make_node("ArgMax", ["logits"], ["predicted"], axis=1, keepdims=0),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("inputs", TensorProto.FLOAT, ["N", 2])],
        [
            helper.make_tensor_value_info("probs", TensorProto.FLOAT, ["N", 2]),
            helper.make_tensor_value_info("predicted", TensorProto.INT64, ["N"]),
        ],
        [helper.make_tensor("weights", TensorProto.FLOAT, [2, 2], weights.ravel())],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return model.SerializeToString()


@pytest.fixture
def promotes(registry):
    """Promotes a file on splits, with defaults for the rest."""

    def promotes(onnx, splits, **changes):
        arguments = {
            "report": report_on(splits),
            "gates": GATES,
            "name": registry.name,
            "run_id": "run",
            "alpha": 0.05,
            "looks": 5,
            "evidence": {"decay": 0.3},
            "registry": registry,
        } | changes
        return promote(onnx, splits, TASK, **arguments)

    return promotes


def kinds(registry):
    """What happened in a ledger, in order."""
    return [entry.kind for entry in registry.ledger.entries()]


@pytest.fixture
def champion(registry, promotes, rows, onnx_file):
    """A registry with a champion."""
    promotes(onnx_file(), rows())
    return registry


@pytest.fixture
def two(registry, promotes, rows, onnx_file):
    """A registry with two promotions on the same rows."""
    splits = rows()
    for onnx in (onnx_file(), onnx_file(1.5)):
        promotes(onnx, splits)
    return registry


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    """A signing key."""
    return new_key(tmp_path_factory.mktemp("key") / "signing.pem")


@pytest.fixture(scope="module")
def believed(key):
    """Trusted keys, that one alone."""
    return TrustedKeys({key.keyid: trusted(key, note="tester")}, "trusted.json")
