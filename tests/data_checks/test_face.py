"""Does `from data_checks import ...` give what a library user needs, and cost nothing before?"""

import subprocess
import sys

import pytest

import data_checks


def test_every_name_of_the_face_is_there():
    assert set(data_checks.__all__) == set(data_checks._HOMES)
    for name in data_checks.__all__:
        assert getattr(data_checks, name).__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'check_split'"):
        data_checks.check_split  # noqa: B018


def test_naming_the_package_imports_nothing_heavy():
    code = "import sys, data_checks; print({'numpy', 'pandas', 'great_expectations'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
