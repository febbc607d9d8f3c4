"""Is a change in a pipeline's code noticed, also in the modules beside it?"""

import hashlib

import pytest

from pipelines.code import code_sha256


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
