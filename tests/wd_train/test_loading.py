"""Are batches that another process makes the same, in order, and is nothing left of it?"""

import hashlib
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from torch import nn

from data_checks.errors import DataError, TrainingError
from data_checks.splits import Split
from pipelines.locating import find_function
from wd_train import loading
from wd_train.network import CPU, AsFloat
from wd_train.rows import Rows

ROOT = Path(__file__).parents[2]
COUNT = 60


def drawn(index):
    return np.random.default_rng(index).integers(0, 256, (3, 4), np.uint8)


class Generated:
    """A reader of rows that are made of their index."""

    def __init__(self, broken=-1, seconds=0.0):
        self.broken, self.seconds = broken, seconds

    def __len__(self):
        return COUNT

    def __getitem__(self, indices):
        time.sleep(self.seconds)
        if self.broken in indices.tolist():
            raise ValueError("the disk is away")
        return np.stack(
            [np.random.default_rng(i).integers(0, 256, (3, 4), np.uint8) for i in indices.tolist()]
        )

    def key(self, index):
        return str(index).encode()


class Killed(Generated):
    """Kills the other process, and only that."""

    def __init__(self):
        super().__init__()
        self.parent = os.getpid()

    def __getitem__(self, indices):
        if os.getpid() != self.parent:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__getitem__(indices)


class Transposed(nn.Module):
    """Gives a view, whose strides matter to what comes behind it."""

    def forward(self, inputs):
        return inputs.float().transpose(1, 2)


def noisy(batch, generator):
    return batch + torch.randn(batch.shape, generator=generator)


def careless(batch, generator):
    return batch + torch.randn(batch.shape)


@pytest.fixture
def waited_for(monkeypatch):
    """A process is begun after the first batches, and waited for."""
    begun = []

    def begin(*args, **more):
        begun.append(start(*args, **more))
        while begun[-1] is not None and not begun[-1].ready() and begun[-1]._process.poll() is None:
            time.sleep(0.01)
        if begun[-1] is not None:
            assert begun[-1].ready(), "the process could not take what it was handed"
        return begun[-1]

    start = loading.begun
    monkeypatch.setattr(loading, "begun", begin)
    monkeypatch.setattr(loading, "PAYS_SECONDS", 0.0)
    return begun


def rows_of(reader, augment=noisy, preprocess=None, **more):
    return Rows(
        Split(reader, np.zeros(len(reader), int)), preprocess or Transposed(), CPU, augment, 3, **more
    )


def batches():
    return iter(torch.arange(COUNT).flip(0).tensor_split(13))


def ended(begun):
    return all(ahead._process.poll() is not None and not ahead._files for ahead in begun)


def plain(rows):
    return [rows.inputs(indices, step) for step, indices in enumerate(batches(), 5)]


def made_there(begun):
    """How many batches another process made."""
    return sum(ahead.given for ahead in begun)


def alike(taken, expected):
    pairs = list(zip(taken, expected, strict=True))
    return all(torch.equal(a, b) and a.stride() == b.stride() and a.dtype == b.dtype for a, b in pairs)


def test_batches_of_another_process_have_the_same_bytes_in_the_same_order(waited_for):
    rows = rows_of(Generated())
    taken = list(rows.stream(batches(), 5))
    assert made_there(waited_for) == 13 - loading.TRIED
    assert ended(waited_for)
    assert [indices.tolist() for indices, _ in taken] == [indices.tolist() for indices in batches()]
    assert alike([inputs for _, inputs in taken], plain(rows))


def test_all_rows_in_their_order_are_made_there_as_well(waited_for):
    rows = rows_of(Generated())
    taken = torch.cat(list(rows.in_order(4)))
    assert made_there(waited_for) == 15 - loading.TRIED
    assert torch.equal(taken, rows.inputs(torch.arange(COUNT)))


def test_what_cannot_be_handed_over_is_done_here_behind_what_can(waited_for):
    rows = rows_of(Generated(), augment=lambda batch, generator: noisy(batch, generator))
    taken = [inputs for _, inputs in rows.stream(batches(), 5)]
    assert made_there(waited_for) == 13 - loading.TRIED
    assert alike(taken, plain(rows))


def test_a_reader_that_cannot_be_handed_over_is_read_here(waited_for):
    reader = Generated()
    reader.anything = lambda: None
    rows = rows_of(reader)
    assert alike([inputs for _, inputs in rows.stream(batches(), 5)], plain(rows))
    assert waited_for == [None]


def test_who_draws_out_of_turn_stays_here(waited_for):
    rows = rows_of(Generated(), augment=careless)
    torch.manual_seed(0)
    taken = [inputs for _, inputs in rows.stream(batches(), 5)]
    torch.manual_seed(0)
    assert alike(taken, plain(rows))
    assert not waited_for


def test_an_error_comes_at_its_batch_with_its_row(waited_for):
    rows = rows_of(Generated(broken=10))
    taken = rows.stream(batches(), 5)
    before = sum(1 for indices in batches() if indices.min() > 10)
    assert len([next(taken) for _ in range(before)]) > loading.TRIED
    with pytest.raises(DataError, match="row 10 cannot be used: ValueError: the disk is away"):
        next(taken)
    assert made_there(waited_for) == before - loading.TRIED
    assert ended(waited_for)


def test_who_stops_early_leaves_no_process(waited_for):
    taken = rows_of(Generated()).stream(batches(), 5)
    for _ in range(6):
        next(taken)
    assert not ended(waited_for)
    taken.close()
    assert ended(waited_for)


def test_a_process_that_is_killed_is_one_sentence(waited_for):
    with pytest.raises(TrainingError, match="ended without an answer"):
        list(rows_of(Killed()).stream(batches(), 5))
    assert ended(waited_for)


def test_small_readers_and_rows_in_memory_begin_no_process(monkeypatch):
    monkeypatch.setattr(loading, "begun", lambda *args, **more: pytest.fail("a process was begun"))
    rows = rows_of(Generated())
    assert alike([inputs for _, inputs in rows.stream(batches(), 5)], plain(rows))
    monkeypatch.setattr(loading, "PAYS_SECONDS", 0.0)
    memory = Rows(Split(np.zeros((COUNT, 2)), np.zeros(COUNT, int)), AsFloat(), CPU)
    assert len(list(memory.stream(batches(), 1))) == 13


PIPELINE = """
    import numpy as np
    import beside

    class Own:
        def __len__(self): return 60
        def __getitem__(self, indices): return np.stack([beside.row(i) for i in indices.tolist()])
        def key(self, index): return bytes([index])

    def pipeline():
        return Own()
"""


def test_the_readers_of_a_users_file_are_found_there(tmp_path, waited_for, monkeypatch):
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "__init__.py").write_text("raise ImportError('this is not wdgate')")
    (tmp_path / "beside.py").write_text("import numpy as np\ndef row(i): return np.full(3, i)\n")
    (tmp_path / "mine.py").write_text(textwrap.dedent(PIPELINE))
    function, _ = find_function(f"{tmp_path}/mine.py:pipeline")
    rows = rows_of(function(), augment=None, preprocess=AsFloat())
    assert alike([inputs for _, inputs in rows.stream(batches(), 5)], plain(rows))
    assert made_there(waited_for) == 13 - loading.TRIED
    assert not (tmp_path / "__pycache__" / "mine.cpython-311.pyc").exists()


SCRIPT = """
    import sys, time, torch
    from torch import nn
    from wd_train import loading
    sys.path.append({folder!r})
    from beside import Generated
    from data_checks.splits import Split
    from wd_train.network import CPU, AsFloat
    from wd_train.rows import Rows
    import numpy as np

    loading.PAYS_SECONDS = 0.0
    rows = Rows(Split(Generated(), np.zeros(4000, int)), AsFloat(), CPU)
    for indices, inputs in rows.stream(iter(torch.arange(4000).split(2)), 1):
        time.sleep(0.02)
"""

BESIDE = """
    import os, time
    import numpy as np

    class Generated:
        def __init__(self): self.parent = os.getpid()
        def __len__(self): return 4000
        def __getitem__(self, indices):
            if os.getpid() != self.parent:
                open({marker!r}, "w").close()
                time.sleep(60)
            return np.zeros((len(indices), 2))
        def key(self, index): return b""
"""


def test_no_process_outlives_a_training_that_is_killed_while_it_reads(tmp_path):
    (tmp_path / "beside.py").write_text(textwrap.dedent(BESIDE.format(marker=str(tmp_path / "reading"))))
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT.format(folder=str(tmp_path))))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, str(script)], env=environment)
    while not (tmp_path / "reading").exists():
        assert process.poll() is None
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    assert len(children) == 1
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not alive


def test_a_batch_has_no_shared_memory_behind_it(waited_for):
    taken = [inputs for _, inputs in rows_of(Generated()).stream(batches(), 5)]
    before = [hashlib.sha256(batch.numpy().tobytes()).digest() for batch in taken]
    taken[0].zero_()
    after = [hashlib.sha256(batch.numpy().tobytes()).digest() for batch in taken]
    assert before[1:] == after[1:]
