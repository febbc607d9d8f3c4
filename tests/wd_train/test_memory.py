"""Does a training on ten times the memory that it may take stay within that memory?"""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LIMIT = 300_000_000

SCRIPT = """
    import sys
    sys.path.append({folder!r})
    import numpy as np
    import psutil
    from torch import nn
    from beside import Generated
    from data_checks.splits import Split
    from wd_train import loading
    from wd_train.training import Training, train
    from wdgate.evaluation.tasks import Classification

    begun, begin = [], loading.begun
    def noted(*args, **more):
        begun.append(begin(*args, **more))
        return begun[-1]
    loading.begun, loading.PAYS_SECONDS = noted, 0.5

    def peak():
        words = open("/proc/self/status").read().split("VmHWM:")[1].split()
        return int(words[0]) * 1024

    def trained(rows):
        split = Split(Generated(rows), np.arange(rows) % 2)
        build = lambda train: nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(48, 2))
        train(build, None, split, split.take(np.arange(100)), Classification("ab"),
              Training(0.1, epochs=1, batch_size=256))

    trained(512)  # what torch itself takes for a first training is no matter of the rows
    before = peak()
    trained({rows})
    print(peak() - before, sum(ahead.given for ahead in begun if ahead is not None))
"""

BESIDE = """
    import numpy as np

    class Generated:
        def __init__(self, rows): self.rows = rows
        def __len__(self): return self.rows
        def __getitem__(self, indices):
            values = (indices % 251).astype(np.uint8)[:, None, None, None]
            return np.broadcast_to(values, (len(indices), 3, 64, 64)).copy()
        def key(self, index): return str(index).encode()
"""


@pytest.mark.soak
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
def test_rows_of_ten_times_the_memory_are_trained_within_it(tmp_path):
    rows = 10 * LIMIT // (3 * 64 * 64)
    (tmp_path / "beside.py").write_text(textwrap.dedent(BESIDE))
    (tmp_path / "script.py").write_text(textwrap.dedent(SCRIPT.format(folder=str(tmp_path), rows=rows)))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    grown, given = map(int, done.stdout.split())
    assert grown < LIMIT
    assert given > 100  # most batches were made ahead
