import contextlib
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_checks.errors import PipelineError
from wdgate.gates.also_gate import on
from wdgate.gates.better_gate import better
from wdgate.gates.gates import at_least, at_most, no_worse, robust, skill, within
from wdgate.gates.slice_gate import slices
from wdgate.gates.wording import gate_of


@pytest.mark.parametrize(
    ("words", "gate"),
    [
        ("at_least(accuracy, .9)", at_least("accuracy", 0.9)),
        ("at_least('accuracy', limit=0.9)", at_least("accuracy", 0.9)),
        (" at_most( nll , 1 ) ", at_most("nll", 1)),
        ("at_least(r2, -0.5)", at_least("r2", -0.5)),
        ("within(confidence_gap, .05)", within("confidence_gap", 0.05)),
        ("no_worse(accuracy, .02)", no_worse("accuracy", 0.02)),
        ("better(accuracy)", better("accuracy")),
        ("better(nll, by=.1)", better("nll", 0.1)),
        ("robust(.7)", robust(0.7)),
        ("skill()", skill()),
        ("skill", skill()),
        (
            "slices(site, at_least=.8, values=[A, 'B', 3])",
            slices("site", at_least=0.8, values=("A", "B", "3")),
        ),
        ("on(winter, at_least(accuracy, .8))", on("winter", at_least("accuracy", 0.8))),
    ],
)
def test_words_name_the_gate_that_python_would_make(words, gate):
    assert gate_of(words) == gate


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("at_last(accuracy, .9)", "did you mean at_least"),
        ("at_least(accuracy)", "missing 1 required positional argument"),
        ("accuracy > .9", "is no gate; expected one such as"),
        ("", "is no gate"),
        ("at_least(accuracy, 1e999)", "finite number"),
        ("at_least(accuracy, open('x'))", "names no gate"),
        ("at_least(accuracy, a.b)", "neither a name nor a number"),
        ("slices(site)", "needs at_least=LIMIT or at_most=LIMIT, got none"),
        ("slices(site, at_least=.1, at_most=.2)", "got both"),
        ("on(winter, on(winter, skill()))", "needs a gate such as"),
        ("(" * 300, "is no gate"),
        ("skill(**a)", "skill"),
    ],
)
def test_other_words_are_refused_in_one_sentence(words, told):
    with pytest.raises(PipelineError) as refused:
        gate_of(words)
    assert told in str(refused.value)
    assert "\n" not in str(refused.value)


@given(st.text(max_size=60))
def test_whatever_is_typed_is_a_gate_or_refused(words):
    with contextlib.suppress(PipelineError):
        assert callable(gate_of(words).answer)


@given(st.sampled_from(["at_least", "at_most"]), st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_limit_is_understood(kind, limit):
    found = gate_of(f"{kind}(accuracy, {limit!r})")
    assert math.isclose(found.limit, limit, rel_tol=0, abs_tol=0)
