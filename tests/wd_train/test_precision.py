"""Are numbers of lower precision taken only where they are asked for, and where the device has them?"""

import pytest
import torch
from torch import nn

from data_checks.errors import TrainingError
from wd_train import precision
from wd_train.precision import Precise

CPU = torch.device("cpu")


@pytest.mark.parametrize(("asked", "has", "expected"), [("auto", True, False), ("float32", True, False)])
def test_a_cpu_computes_with_float32_unless_it_is_asked(monkeypatch, asked, has, expected):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: has)
    assert Precise(CPU, asked).bfloat16 is expected


def test_a_gpu_that_has_it_takes_it(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    assert Precise(torch.device("cuda"), "auto").bfloat16
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: False)
    assert not Precise(torch.device("cuda"), "auto").bfloat16


def test_what_the_device_only_emulates_is_refused(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: False)
    with pytest.raises(TrainingError, match="precision='bfloat16' is not computed by this cpu device"):
        Precise(CPU, "bfloat16")


def test_products_are_rounded_and_outputs_are_not(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda device: True)
    precise, net = Precise(CPU, "bfloat16"), nn.Linear(64, 3)
    inputs = torch.randn(5, 64)
    with precise.autocast():
        outputs = net(inputs)
    assert outputs.dtype == torch.bfloat16
    assert precise.full(outputs).dtype == torch.float32
    assert torch.allclose(precise.full(outputs), net(inputs), atol=0.05)
