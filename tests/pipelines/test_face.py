"""Does `from pipelines import ...` give what a pipeline file needs, and cost nothing before?"""

import subprocess
import sys

import pytest

import pipelines


def test_every_name_of_the_face_is_there():
    assert set(pipelines.__all__) == set(pipelines._PLACES)
    for name in pipelines.__all__:
        assert getattr(pipelines, name).__name__ == name


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Pipelin'"):
        pipelines.Pipelin  # noqa: B018


def test_naming_the_package_imports_nothing_heavy():
    code = "import sys, pipelines; print({'torch', 'mlflow', 'pandas', 'scipy'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"
