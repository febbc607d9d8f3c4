import json

import numpy as np
import pytest

from data_checks.errors import ModelError
from wdgate.evaluation import latency as measuring
from wdgate.evaluation.latency import WARM_UP, Latency, latency


@pytest.fixture
def clock(monkeypatch):
    """A clock on which each answer takes the next of these seconds; returns the batches that were asked."""
    asked = []

    def set_to(*seconds):
        now = [0.0]

        class Model:
            def __init__(self, onnx, threads):
                pass

            def predict(self, rows):
                now[0] += seconds[min(len(asked), len(seconds) - 1)]
                asked.append(rows)

        monkeypatch.setattr(measuring, "OnnxModel", Model)
        monkeypatch.setattr(measuring.time, "perf_counter", lambda: now[0])
        return asked

    return set_to


def test_the_median_and_the_slowest_hundredth_of_the_answers_are_told(clock):
    clock(*[9.0] * WARM_UP, *np.arange(1, 202) / 1000)
    found = latency(b"", np.zeros((1, 2)), count=201, budget=1e9)
    assert (found.p50, found.p99, found.count) == (pytest.approx(101), pytest.approx(199), 201)


def test_a_slow_file_is_asked_until_the_budget_is_spent(clock):
    asked = clock(0.04)
    found = latency(b"", np.zeros((1, 2)), budget=0.5)
    assert found.count == len(asked) - WARM_UP == 8
    assert found.p50 == pytest.approx(40)


def test_a_file_that_takes_longer_than_the_budget_is_asked_once(clock):
    asked = clock(30.0)
    found = latency(b"", np.zeros((1, 2)))
    assert (found.count, found.p50, found.p99, len(asked)) == (1, 30_000, 30_000, 1)


@pytest.mark.parametrize(("batch_size", "sums"), [(1, [0]), (2, [0, 1]), (4, [0, 1, 2, 0])])
def test_a_batch_is_of_the_first_rows_which_may_be_fewer(clock, batch_size, sums):
    asked = clock(0.001)
    assert latency(b"", np.arange(3), batch_size, count=1).batch == batch_size
    assert asked[0].tolist() == sums


def test_columns_are_measured_on_a_real_file_with_threads_stated(adder):
    columns = {"size": np.array([0.5, 0.25]), "count": np.array([1, 2])}
    found = latency(adder, columns, batch_size=2, threads=2, count=20)
    assert (found.threads, found.batch) == (2, 2)
    assert 1 <= found.count <= 20
    assert 0 < found.p50 <= found.p99
    assert json.loads(json.dumps(found.as_dict())) == found.as_dict()


def test_a_file_that_does_not_take_the_rows_is_refused(adder):
    with pytest.raises(ModelError, match="takes inputs named count, size"):
        latency(adder, {"size": np.zeros(1)})


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (
            Latency(0.0123, 0.0456, 1, 200, 1),
            "One row takes 0.012 ms (p99 0.046 ms, one thread, 200 answers).",
        ),
        (Latency(2345.6, 3000.0, 4, 1, 32), "32 rows take 2346 ms (p99 3000 ms, 4 threads, one answer)."),
    ],
)
def test_the_sentence_says_what_was_measured_on_what(found, sentence):
    assert found.sentence == sentence
