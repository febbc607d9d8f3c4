"""Is the right function found, and a mistake in a user's file told in one sentence?"""

import sys
from pathlib import Path

import pytest

from data_checks.errors import PipelineError
from pipelines.locating import find_function, mistake


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", list(sys.path))

    def write(text, name="mine.py"):
        file = tmp_path / name
        file.write_text(text)
        return str(file)

    return write


def said(locator):
    with pytest.raises(PipelineError) as raised:
        find_function(locator)
    message = str(raised.value)
    assert "\n" not in message
    return message


def test_a_file_is_found_by_its_path_and_its_function_by_default(write):
    function, file = find_function(write("def pipeline(): return 'default'\ndef other(): return 'other'\n"))
    assert function() == "default"
    assert file.name == "mine.py"


def test_a_function_is_found_by_its_name(write):
    file = write("def pipeline(): return 'default'\ndef other(): return 'other'\n")
    assert find_function(f"{file}:other")[0]() == "other"


@pytest.mark.parametrize("annotation", ["Pipeline", "'Pipeline'", "pipelines.Pipeline"])
def test_the_only_function_that_returns_a_pipeline_needs_no_name(write, annotation):
    imports = "import pipelines\nfrom pipelines import Pipeline\n"
    functions = f"def helper(): pass\ndef mine() -> {annotation}: return 1\n"
    assert find_function(write(imports + functions))[0]() == 1


def test_a_module_is_found_by_its_name():
    function, file = find_function("pipelines.digits")
    assert (function.__name__, file.name) == ("pipeline", "digits.py")


def test_the_file_beside_a_users_file_can_be_imported_and_ours_stay_ours(write, tmp_path):
    for folder in ("flows", "pipelines", "tests", "data_checks"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "__init__.py").write_text("raise RuntimeError('shadowed')")
    write("VALUE = 41", "beside_me.py")
    imports = "import beside_me\nimport data_checks.splits\nfrom pipelines import Pipeline\n"
    assert find_function(write(imports + "def pipeline(): return beside_me.VALUE\n"))[0]() == 41
    assert sys.path[-1] == str(tmp_path)


def test_a_file_called_like_a_module_replaces_none(write):
    find_function(write("def pipeline(): pass", "json.py"))
    import json

    assert json.loads("1") == 1


def test_a_file_that_was_changed_is_read_again_and_leaves_nothing_beside_it(write, tmp_path):
    locator = write("def pipeline(): return 1")
    assert find_function(locator)[0]() == 1
    write("def pipeline(): return 2")
    assert find_function(locator)[0]() == 2
    assert [file.name for file in tmp_path.iterdir()] == ["mine.py"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import torhc", "mine.py, line 1): ModuleNotFoundError: No module named 'torhc'"),
        ("\n\ndef pipeline(:\n", "mine.py, line 3): SyntaxError: "),
        ("x = 1\nwidth = hieght", "mine.py, line 2): NameError: name 'hieght' is not defined"),
        ("from pipelines import Pipelin", "mine.py, line 1): ImportError: cannot import name 'Pipelin'"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_line(write, text, expected):
    assert expected in said(write(text))


def test_what_is_not_there_is_named(write, tmp_path):
    assert said(str(tmp_path / "gone.py")).startswith("there is no pipeline file ")
    assert said("pipelines.digts") == "there is no module pipelines.digts; did you mean pipelines.digits?"
    assert "ending in .py" in said("no_such_module_anywhere")
    for name in ("pipelines.nope", "pipelines.nea"):  # pipelines.near holds no pipeline
        assert said(name).startswith(f"there is no module {name}; a pipeline in a file")
    assert (
        said("pipelines.digits:pipelin") == "pipelines.digits has no function pipelin; did you mean pipeline?"
    )
    assert "but has none: call it pipeline" in said(write("x = 1"))


def test_several_candidates_ask_for_a_name(write):
    text = "from pipelines import Pipeline\ndef a() -> Pipeline: ...\ndef b() -> Pipeline: ...\n"
    assert "several (a, b): name one as" in said(write(text))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ("Training(epoch=3)", "Training has no field 'epoch'; did you mean epochs?"),
        ("Training(xyzzy=3)", "Training has no field 'xyzzy'; it has "),
        ("dict.fromkeys(epoch=3)", "TypeError: "),
    ],
)
def test_a_misspelt_field_is_told_with_the_nearest_one(call, sentence):
    code = compile(f"from pipelines import Training\n{call}", "mine.py", "exec")
    with pytest.raises(TypeError) as caught:
        exec(code, {})
    told = str(mistake(caught.value, "it cannot be called", Path("mine.py")))
    assert told.startswith("it cannot be called (mine.py, line 2): ")
    assert sentence in told
