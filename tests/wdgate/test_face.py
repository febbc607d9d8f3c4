"""The public face of the library."""

import subprocess
import sys

import pytest

import wdgate


def test_every_public_name_is_there():
    assert set(wdgate.__all__) == set(wdgate._HOMES)
    for name in wdgate.__all__:
        assert getattr(wdgate, name).__name__ == name
        assert name in dir(wdgate)


def test_a_name_that_is_not_there_is_said_so():
    with pytest.raises(AttributeError, match="no attribute 'jugde'"):
        _ = wdgate.jugde


def test_importing_it_imports_nothing_heavy():
    heavy = "{'mlflow', 'torch', 'scipy', 'pandas', 'onnxruntime', 'prefect', 'great_expectations', 'numpy'}"
    script = f"import sys, wdgate; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_naming_a_promotion_does_not_import_mlflow():
    script = "import sys, wdgate; wdgate.promote, wdgate.load_champion; print('mlflow' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
