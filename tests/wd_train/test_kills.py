"""A real process is killed at random moments of its training: do its bytes stay the same?"""

import hashlib
import random
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.soak

KILLS = 50
LONGEST = 2.0
"""Seconds of training after which a process is killed at the latest; undisturbed it takes about eight."""

TRAINS = """
import io, sys, torch
from data_checks.splits import Split
from torch import nn
from wd_train.checkpoints import Checkpoints
from wd_train.training import Training, train
from wdgate.evaluation.tasks import Classification

def rows(count, seed):
    inputs = torch.randn(count, 20, generator=torch.Generator().manual_seed(seed))
    return Split(inputs.numpy(), (inputs[:, 0] * inputs[:, 1] > 0).long().numpy())

def model(_):
    return nn.Sequential(nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(.1), nn.Linear(64, 2))

def noisy(inputs, generator):
    return inputs + .05 * torch.randn(inputs.shape, generator=generator)

print("training", flush=True)
training = Training(weight_decay=.1, epochs=60, batch_size=32, patience=40, learning_rate=.003)
kept = Checkpoints(sys.argv[1], "key", every=.05, tell=lambda words: print(words, flush=True))
parts = (model, None, rows(4000, 0), rows(500, 1), Classification(("a", "b")))
result = train(*parts, training, augment=noisy, checkpoints=kept)
seen = [{**vars(epoch), "seconds": None} for epoch in result.history]
kept = io.BytesIO()  # a file would hold its own name
torch.save((dict(result.network.state_dict()), seen), kept)
with open(sys.argv[2], "wb") as file:
    file.write(kept.getvalue())
"""


def start(folder, result):
    words = [sys.executable, "-c", TRAINS, str(folder), str(result)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout.readline() == "training\n"
    return process


def test_killed_at_fifty_random_moments_it_ends_with_the_same_bytes(tmp_path):
    undisturbed = start(tmp_path / "undisturbed", tmp_path / "expected.pt")
    assert undisturbed.communicate()[0] == ""
    moments, result = random.Random(3), tmp_path / "killed.pt"
    for _ in range(KILLS):
        process = start(tmp_path / "killed", result)
        time.sleep(moments.uniform(0, LONGEST))
        process.kill()
        assert "not used" not in process.communicate()[0]
        if result.exists():  # it had ended before it was killed: begin another one
            assert digest(result) == digest(tmp_path / "expected.pt")
            result.unlink()
            for path in (tmp_path / "killed").rglob("*.checkpoint"):
                path.unlink()
    assert start(tmp_path / "killed", result).wait() == 0
    assert digest(result) == digest(tmp_path / "expected.pt")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()
