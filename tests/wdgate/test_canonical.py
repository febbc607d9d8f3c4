"""Which bytes stand for a value."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wdgate.canonical import canonical_json, plain

texts = st.text(max_size=5)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_what_is_read_back_is_what_was_written(value):
    assert json.loads(canonical_json(value)) == plain(value)


@given(st.dictionaries(texts, values, max_size=5))
def test_the_order_of_a_mapping_changes_no_byte(value):
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


def test_a_number_that_is_not_finite_is_a_text():
    assert plain([np.float32("nan"), float("-inf")]) == ["nan", "-inf"]


def test_a_value_without_a_plain_form_is_named():
    with pytest.raises(TypeError, match="a bytes cannot be recorded"):
        canonical_json({"a": b"x"})
