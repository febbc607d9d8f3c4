"""Do workers answer as this process would, and is none of them left behind?"""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from data_checks.errors import TrainingError
from data_checks.splits import Split
from pipelines.grid import as_text
from wd_train import pool
from wd_train.network import predict
from wd_train.pool import one_thread, run_in_workers
from wd_train.rows import Rows
from wd_train.training import Training, train
from wdgate.evaluation.tasks import Classification

ROOT = Path(__file__).parents[2]
JOBS = [Training(0.1, epochs=2, batch_size=16, seed=seed) for seed in range(3)]


@pytest.fixture(autouse=True)
def found_by_workers(monkeypatch):
    """Workers look up this module's functions by its name."""
    monkeypatch.syspath_prepend(str(ROOT))


def rows(count, seed):
    generator = np.random.default_rng(seed)
    return Split(generator.normal(size=(count, 1, 8, 8)).astype(np.float32), generator.integers(0, 3, count))


def build(split):
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2), nn.Linear(144, 3)
    )


def trained(training):
    validation = rows(30, 1)
    model = train(build, None, rows(60, 0), validation, Classification("abc"), training)
    outputs = predict(model.network.net, Rows(validation, model.network.preprocess, torch.device("cpu")))
    return outputs.numpy()


def threads(job):
    return torch.get_num_threads(), os.environ["OMP_NUM_THREADS"], os.getpid(), job


def fail(job):
    raise TrainingError(f"job {job} diverged")


def die(job):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_folder_of_the_users_does_not_hide_where_the_work_is_done(tmp_path, monkeypatch):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text("raise ImportError('this is not wdgate')")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path[1:]])
    assert dict(run_in_workers(as_text, [0.5, 3], workers=1)) == {0.5: "0.5", 3: "3"}


def test_a_worker_trains_what_one_thread_trains_here_bit_for_bit():
    found = dict(run_in_workers(trained, JOBS, workers=2))
    with one_thread():
        for training in JOBS:
            assert np.array_equal(found[training], trained(training))
    assert not np.array_equal(found[JOBS[0]], found[JOBS[1]])


def test_a_worker_has_one_thread_and_is_another_process():
    answers = [answer for _, answer in run_in_workers(threads, [1, 2, 3], workers=1)]
    assert [answer[:2] for answer in answers] == [(1, "1")] * 3
    assert os.getpid() not in {answer[2] for answer in answers}
    assert sorted(answer[3] for answer in answers) == [1, 2, 3]


def test_nothing_is_started_for_nothing():
    assert list(run_in_workers(threads, [])) == []


def test_what_a_job_raises_travels_up_and_the_workers_end():
    with pytest.raises(TrainingError, match="diverged"):
        list(run_in_workers(fail, [1, 2], workers=1))
    assert not workers_of(os.getpid())


def test_a_worker_that_dies_is_one_sentence_and_the_others_end():
    with pytest.raises(TrainingError, match="a worker process ended without an answer"):
        list(run_in_workers(die, [1, 2], workers=2))
    assert not workers_of(os.getpid())


def test_who_stops_asking_leaves_no_worker():
    answers = run_in_workers(threads, [1, 2, 3], workers=1)
    next(answers)
    answers.close()
    assert not workers_of(os.getpid())


def ends(processes):
    """Whether all of them end within seconds."""
    _, alive = psutil.wait_procs(processes, timeout=10)
    return not alive


def workers_of(pid):
    children = psutil.Process(pid).children(recursive=True)
    return [child for child in children if "spawn_main" in " ".join(child.cmdline())]


SLEEPY = """
    import sys, time
    from wd_train.pool import run_in_workers

    def sleep(job):
        import tqdm
        tqdm.tqdm(disable=True)
        print("started", flush=True)
        time.sleep(60)

    if __name__ == "__main__":
        list(run_in_workers(sleep, [1, 2], workers=2))
"""


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL], ids=["interrupted", "killed"])
def test_whoever_ends_the_parent_ends_the_workers(tmp_path, sign):
    script = tmp_path / "sleepy.py"
    script.write_text(textwrap.dedent(SLEEPY))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )
    assert process.stdout.readline() == b"started\n"
    workers = workers_of(process.pid)
    assert workers
    # To the whole group, as a terminal sends it; a kill reaches the parent alone.
    os.killpg(process.pid, sign) if sign == signal.SIGINT else process.send_signal(sign)
    process.wait(10)
    assert ends(workers)
    process.stdout.close()
    said = process.stderr.read().decode()
    process.stderr.close()
    if sign == signal.SIGINT:  # with no word of semaphores that are left behind
        assert said.strip().endswith("KeyboardInterrupt")


def test_the_cores_that_this_process_may_use_are_counted():
    assert 1 <= pool.cores() <= (os.cpu_count() or 1)
