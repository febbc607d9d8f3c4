"""Is the device there, and are there as many threads as the steps are worth?"""

import pytest
import torch

from data_checks.errors import TrainingError
from wd_train.devices import pick_device, repeatable, threads_for


def test_small_steps_take_one_thread_and_give_the_others_back():
    before = torch.get_num_threads()
    with threads_for(1e3):
        assert torch.get_num_threads() == 1
    with threads_for(1e12):
        assert torch.get_num_threads() == before
    assert torch.get_num_threads() == before


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(TrainingError, match="device 'abacus' cannot be used"):
        pick_device("abacus")


def test_a_gpu_repeats_its_bytes_only_where_that_is_asked(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    found = []
    for asked in (True, False):
        with repeatable(asked, torch.device("cuda")):
            found.append((torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark))
    assert found == [(True, False), (False, True)]
    assert not torch.are_deterministic_algorithms_enabled()
    with repeatable(True, torch.device("cpu")):
        assert not torch.are_deterministic_algorithms_enabled()
