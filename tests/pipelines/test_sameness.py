"""Are two functions told apart whenever what they do may differ?"""

import subprocess
import sys
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from pipelines.pipeline import load_pipeline
from pipelines.sameness import Unsure, digest, form_of, same_function

WIDTH = 8

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner),
    max_leaves=8,
)


class Scaled:
    def __init__(self, by):
        self.by = by

    def __call__(self, number):
        return number * self.by


@dataclass(frozen=True)
class Named:
    name: str
    part: object = None


class Slotted:
    __slots__ = ("by",)


def closing_over(value):
    return lambda: value


def within(value):
    def outer():
        return [value for _ in range(3)]

    return outer


def made_within(width):
    class Local:
        def __call__(self):
            return width

    return Local


def of_default(value):
    def function(*, by=value):
        return by

    return function


@given(plain, plain)
def test_functions_that_close_over_equal_values_are_the_same_and_others_are_not(one, other):
    assert same_function(closing_over(one), closing_over(one))
    assert same_function(closing_over(one), closing_over(other)) == (form_of(one) == form_of(other))


@pytest.mark.parametrize("made", [closing_over, within, of_default, Scaled, Named])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 2),
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        ("1", 1),
        ((1,), [1]),
        ({"a": 1}, {"a": 2}),
        ({1, 2}, {1, 3}),
        (np.arange(3), np.arange(4)),
        (np.float32(1), np.float64(1)),
        (partial(int, base=2), partial(int, base=8)),
        (closing_over(1), closing_over(2)),
        (Named("a", Scaled(1)), Named("a", Scaled(2))),
        (torch.relu, torch.tanh),
        (Scaled(1).__call__, Scaled(2).__call__),
    ],
)
def test_a_different_value_within_is_a_different_function(made, one, other):
    assert same_function(made(one), made(one))
    assert not same_function(made(one), made(other))


def test_functions_of_the_same_words_but_other_code_differ():
    assert not same_function(lambda x: x + 1, lambda x: x - 1)
    assert not same_function(lambda x: x.sin(), lambda x: x.cos())
    assert not same_function(lambda x: 3, lambda x: 4)


@pytest.mark.parametrize(
    "opaque",
    [
        torch.zeros(2),
        torch.nn.Linear(2, 2),
        np.random.default_rng(0),
        iter([1]),
        made_within(3),
        made_within(3)(),
        Slotted(),
        object(),
        [].append,
        np.array([object()]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_cannot_be_compared_is_different_even_from_itself(opaque):
    function = closing_over(opaque)
    assert not same_function(function, function)
    with pytest.raises(Unsure):
        form_of(function)


def test_what_holds_itself_is_different():
    endless = []
    endless.append(endless)
    assert not same_function(closing_over(endless), closing_over(endless))


def test_a_name_without_a_value_yet_is_no_form():
    function = lambda: later  # noqa: E731
    with pytest.raises(Unsure):
        form_of(function)
    later = 1


def test_a_global_value_that_changed_is_another_function(monkeypatch):
    function = lambda: WIDTH  # noqa: E731
    before = form_of(function)
    monkeypatch.setitem(globals(), "WIDTH", 9)
    assert form_of(function) != before


def test_a_file_that_is_loaded_twice_gives_the_same_parts(tmp_path):
    file = tmp_path / "own.py"
    file.write_text(
        "from pipelines import Classification, Pipeline, Training\n"
        "from torch import nn\n"
        "class Net(nn.Module):\n"
        "    def __init__(self, width):\n        super().__init__()\n"
        "def rows(): pass\n"
        "def pipeline(*, weight_decay: float = 0.1, width: int = 3) -> Pipeline:\n"
        "    return Pipeline('own', rows, Classification('ab'), Training(weight_decay), gates=[],\n"
        "                    model=lambda train: Net(width))\n"
    )
    first, second, wider = (
        load_pipeline(str(file), given).pipeline for given in ({}, {"weight_decay": 1.0}, {"width": 4})
    )
    assert first.model is not second.model
    assert same_function(first.model, second.model)
    assert same_function(first.splits, second.splits)
    assert not same_function(first.model, wider.model)


def test_a_digest_is_the_same_in_another_process():
    code = (
        "from pipelines.pipeline import load_pipeline\nfrom pipelines.sameness import *\n"
        "print(digest(form_of({'b', 'a'}), form_of(load_pipeline('pipelines.digits').pipeline.model)))"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert digest(form_of(1)) not in printed


SIZES = {"width": 1}


def hidden():
    return SIZES["width"]


def build(train):
    return hidden()


def test_what_a_function_reads_through_other_functions_and_containers_counts(monkeypatch):
    before = form_of(build)
    assert form_of(build) == before
    monkeypatch.setitem(SIZES, "width", 64)
    assert form_of(build) != before
