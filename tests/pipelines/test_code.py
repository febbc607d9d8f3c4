"""Is a change in a pipeline's code noticed, also in the modules that it imports?"""

import hashlib
import importlib
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pipelines.digits
from pipelines.code import code_sha256
from pipelines.locating import find_function


@pytest.fixture
def file(tmp_path):
    (tmp_path / "sizes.py").write_text("import more\nHIDDEN = 16\n")
    (tmp_path / "more.py").write_text("")
    (tmp_path / "unused.py").write_text("")
    path = tmp_path / "mine.py"
    path.write_text("import numpy\n\ndef build():\n    from sizes import HIDDEN\n    return HIDDEN\n")
    return path


def test_a_file_by_itself_is_known_by_its_bytes(tmp_path):
    path = tmp_path / "alone.py"
    path.write_text("import numpy\n")
    assert code_sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("changed", ["mine.py", "sizes.py", "more.py"])
def test_a_change_of_what_is_imported_from_beside_it_counts(file, changed):
    before = code_sha256(file)
    assert code_sha256(file) == before
    with (file.parent / changed).open("a") as written:
        written.write("# another line\n")
    assert code_sha256(file) != before


def test_what_is_not_imported_does_not_count(file):
    before = code_sha256(file)
    (file.parent / "unused.py").write_text("X = 1\n")
    assert code_sha256(file) == before


def test_a_module_that_cannot_be_parsed_is_left_to_who_imports_it(file):
    (file.parent / "more.py").write_text("def (")
    assert code_sha256(file)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder on the path with two packages; what is imported from it is forgotten afterwards."""
    return project_in(tmp_path, monkeypatch)


def project_in(folder, monkeypatch):
    for name in ("app_here/sub", "shared_here"):
        (folder / name).mkdir(parents=True)
    files = ("app_here/__init__", "app_here/helper", "app_here/sub/__init__", "app_here/sub/deep", "aside")
    for name in (*files, "shared_here/__init__", "shared_here/nets"):
        (folder / f"{name}.py").write_text("W = 1\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    return folder


def pipeline_in(project, text, name="app_here/pipe.py"):
    (project / name).write_text(text)
    return project / name


def change(file):
    file.write_text(file.read_text() + "W = 2\n")


WAYS = [
    ("from shared_here.nets import W", "shared_here/nets"),
    ("from shared_here import nets", "shared_here/nets"),
    ("import shared_here.nets as nets", "shared_here/__init__"),
    ("from app_here.helper import W", "app_here/helper"),
    ("from .helper import W", "app_here/helper"),
    ("from . import helper", "app_here/helper"),
    ("from . import helper", "app_here/__init__"),
    ("from .sub.deep import W", "app_here/sub/deep"),
    ("from ..shared_here.nets import W", "shared_here/nets"),
    ("def later():\n    from sub.deep import W", "app_here/sub/deep"),
    ("import importlib\nW = importlib.import_module('helper').W", "app_here/helper"),
    ("from importlib import import_module\nW = import_module('.helper', __package__).W", "app_here/helper"),
    ("W = __import__('shared_here.nets')", "shared_here/nets"),
]


@pytest.mark.parametrize(("text", "changed"), WAYS)
def test_a_change_of_what_is_imported_counts_whichever_way_it_is(project, text, changed):
    file = pipeline_in(project, text)
    before = code_sha256(file)
    assert code_sha256(file) == before
    change(project / "aside.py")
    assert code_sha256(file) == before
    change(project / f"{changed}.py")
    assert code_sha256(file) != before


def test_a_change_two_imports_away_counts(project):
    file = pipeline_in(project, "from .helper import W")
    (project / "app_here/helper.py").write_text("from shared_here import nets\nW = nets.W\n")
    before = code_sha256(file)
    change(project / "shared_here/nets.py")
    assert code_sha256(file) != before


def test_a_package_without_a_file_of_its_own_is_looked_into(project):
    (project / "shared_here/__init__.py").unlink()
    file = pipeline_in(project, "import shared_here.nets")
    before = code_sha256(file)
    change(project / "shared_here/nets.py")
    assert code_sha256(file) != before


HELD = "import importlib\nname = 'shared_here.' + 'nets'\nmodule = importlib.import_module(name)\n"


@pytest.mark.parametrize("kept", ["", "build = module.build\ndel module", "module = module.Net()"])
def test_what_only_running_tells_counts_once_it_is_loaded(project, kept):
    (project / "shared_here/nets.py").write_text("def build(): pass\nclass Net: pass\n")
    file = pipeline_in(project, f"{HELD}{kept}\ndef pipeline(): pass\n", "held.py")
    find_function(str(file))
    before = code_sha256(file)
    change(project / "shared_here/nets.py")
    assert code_sha256(file) != before


def test_what_is_imported_from_a_folder_that_the_path_no_longer_has_counts(project):
    text = "import sys\nsys.path.insert(0, LIB)\nfrom only_there import W\nsys.path.pop(0)\n"
    (project / "lib").mkdir()
    (project / "lib/only_there.py").write_text("W = 1\n")
    file = pipeline_in(project, f"LIB = {str(project / 'lib')!r}\n{text}", "popped.py")
    find_function_of(file)
    before = code_sha256(file)
    change(project / "lib/only_there.py")
    assert code_sha256(file) != before


def test_a_package_runs_before_the_module_in_it_and_counts(project):
    file = pipeline_in(project, "def pipeline(): pass\n")
    find_function("app_here.pipe")
    before = code_sha256(file)
    change(project / "app_here/__init__.py")
    assert code_sha256(file) != before


def test_what_others_have_loaded_does_not_count(project):
    file = pipeline_in(project, "from .helper import W\nimport json\ndef pipeline(): pass\n")
    find_function("app_here.pipe")
    before = code_sha256(file)
    importlib.import_module("aside")
    importlib.import_module("shared_here.nets")
    assert code_sha256(file) == before


def test_where_a_project_lies_does_not_count(tmp_path, monkeypatch):
    text = f"from .helper import W\nfrom shared_here import nets\n{HELD}def pipeline(): pass\n"
    found = []
    for name in ("here", "further/there"):
        with monkeypatch.context() as patch:
            project_in(tmp_path / name, patch)
            file = pipeline_in(tmp_path / name, text)
            find_function("app_here.pipe")
            found.append(code_sha256(file))
    assert found[0] == found[1]


def test_two_modules_that_change_places_are_noticed(project):
    file = pipeline_in(project, "import shared_here.nets\nfrom .helper import W")
    one, other = project / "shared_here/nets.py", project / "app_here/helper.py"
    other.write_text("W = 3\n")
    before = code_sha256(file)
    one.write_text("W = 3\n")
    other.write_text("W = 1\n")
    assert code_sha256(file) != before


def test_what_is_installed_or_wdgates_own_does_not_count(project):
    file = pipeline_in(project, "import numpy, torch.nn, json\nfrom pipelines import Pipeline\n", "mine.py")
    find_function_of(file)
    assert code_sha256(file) == hashlib.sha256(file.read_bytes()).hexdigest()
    shipped = Path(pipelines.digits.__file__)
    assert code_sha256(shipped) == hashlib.sha256(shipped.read_bytes()).hexdigest()


def find_function_of(file):
    file.write_text(f"{file.read_text()}\ndef pipeline(): pass\n")
    return find_function(str(file))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_beside_it_have_a_hash(file, content):
    (file.parent / "more.py").write_bytes(content)
    assert len(code_sha256(file)) == 64
