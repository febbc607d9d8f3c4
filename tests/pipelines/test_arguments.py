"""Is text understood as the type hints say, and everything else refused?"""

from pathlib import Path
from typing import Any, Literal, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import PipelineError
from pipelines.arguments import bind_arguments, convert


def pipeline(
    *,
    folder: Path,
    weight_decay: float = 0.3,
    epochs: int = 20,
    shuffle: bool = True,
    optimizer: Literal["adamw", "sgd"] = "adamw",
    patience: int | None = None,
    untyped="text",
):
    pass


def bind(**given):
    return bind_arguments(pipeline, {"folder": "data", **given}, "mine")


@given(st.integers())
def test_a_whole_number_survives_being_typed(number):
    assert convert("n", str(number), int) == number


@given(st.floats(allow_nan=False))
def test_a_number_survives_being_typed(number):
    assert convert("x", str(number), float) == number


@given(st.text())
def test_any_text_is_a_whole_number_or_is_refused_in_one_sentence(text):
    try:
        said = ""
        value = convert("n", text, int)
    except PipelineError as error:
        said, value = str(error), None
    assert type(value) is int or said == f"n must be a whole number, got {text!r}"


def test_what_is_not_given_has_its_default():
    assert bind(epochs="3") == {
        "folder": Path("data"),
        "weight_decay": 0.3,
        "epochs": 3,
        "shuffle": True,
        "optimizer": "adamw",
        "patience": None,
        "untyped": "text",
    }


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("weight_decay", "1e-2", 0.01),
        ("weight_decay", 1, 1.0),
        ("shuffle", "False", False),
        ("shuffle", "yes", True),
        ("optimizer", "sgd", "sgd"),
        ("patience", "none", None),
        ("patience", None, None),
        ("patience", "3", 3),
        ("folder", "a b/c", Path("a b/c")),
        ("untyped", "anything", "anything"),
    ],
)
def test_a_value_becomes_what_its_hint_says(name, text, value):
    found = bind(**{name: text})[name]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "wrong", "said"),
    [
        ("epochs", "ten", "epochs must be a whole number, got 'ten'"),
        ("epochs", "1.5", "epochs must be a whole number, got '1.5'"),
        ("epochs", True, "epochs must be a whole number, got True"),
        ("weight_decay", "lots", "weight_decay must be a number, got 'lots'"),
        ("shuffle", "perhaps", "shuffle must be true or false, got 'perhaps'"),
        ("optimizer", "adam", "optimizer must be 'adamw' or 'sgd', got 'adam'"),
        ("patience", "x", "patience must be a whole number or none, got 'x'"),
        ("folder", 3, "folder must be a path, got 3"),
    ],
)
def test_a_wrong_type_says_what_was_expected(name, wrong, said):
    with pytest.raises(PipelineError) as raised:
        bind(**{name: wrong})
    assert str(raised.value) == said


def test_a_misspelt_argument_names_the_nearest_right_one_and_all_there_are():
    with pytest.raises(PipelineError) as raised:
        bind(weigth_decay="1")
    assert str(raised.value) == (
        "mine has no argument weigth_decay; did you mean weight_decay? it takes "
        "folder, weight_decay, epochs, shuffle, optimizer, patience, untyped"
    )


def test_a_function_without_arguments_says_so():
    with pytest.raises(PipelineError, match="mine takes no arguments, got epochs"):
        bind_arguments(lambda: None, {"epochs": "3"}, "mine")


def test_an_argument_that_is_missing_is_asked_for():
    with pytest.raises(PipelineError, match="mine needs the argument folder"):
        bind_arguments(pipeline, {}, "mine")


@pytest.mark.parametrize("hint", [Optional[int], int | None])  # noqa: UP045 - both spellings are in use
def test_both_spellings_of_an_optional_type_are_understood(hint):
    assert convert("n", "none", hint) is None
    assert convert("n", "4", hint) == 4


def test_a_type_that_no_text_can_be_is_refused_as_text_and_taken_as_it_is():
    assert convert("sizes", {"a": 1}, dict[str, int]) == {"a": 1}
    assert convert("anything", "x", Any) == "x"
    with pytest.raises(PipelineError, match="cannot be given as text"):
        convert("sizes", "a=1", dict[str, int])


@pytest.mark.parametrize(
    ("text", "hint", "value"),
    [
        ("64,32", tuple[int, ...], (64, 32)),
        ("(64, 32)", tuple[int, ...], (64, 32)),
        ("", tuple[int, ...], ()),
        ("0.9,0.999", tuple[float, float], (0.9, 0.999)),
        ("[1,2]", list[int], [1, 2]),
        ("a,b", tuple, ("a", "b")),
        ("none", tuple[int, ...] | None, None),
        ("3", tuple[int, ...] | None, (3,)),
        ("3", tuple[int], (3,)),
    ],
)
def test_values_between_commas_are_what_their_own_hints_say(text, hint, value):
    found = convert("sizes", text, hint)
    assert found == value
    assert [type(part) for part in found or ()] == [type(part) for part in value or ()]


@pytest.mark.parametrize(
    ("text", "hint"), [("1,x", tuple[int, ...]), ("1,2,3", tuple[int, int]), ("1,,2", list[int])]
)
def test_values_between_commas_that_do_not_fit_are_refused(text, hint):
    with pytest.raises(PipelineError, match=r"sizes must be values between commas \(a whole number each\)"):
        convert("sizes", text, hint)


def test_hints_that_name_nothing_are_named():
    def broken(*, epochs: "Nothing" = 3):  # noqa: F821
        pass

    with pytest.raises(PipelineError, match=r"type hints of .*broken cannot be read"):
        bind_arguments(broken, {}, "mine")
