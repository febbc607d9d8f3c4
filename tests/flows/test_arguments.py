import subprocess
import sys

import pytest

from data_checks.errors import PipelineError
from flows.arguments import parse, parser
from flows.commands import COMMANDS
from flows.naming import arguments_of


def test_every_command_on_the_help_page_exists_and_the_other_way_round():
    subcommands = next(a for a in parser()._actions if a.dest == "command")
    assert set(subcommands.choices) == set(COMMANDS)


def test_arguments_of_a_pipeline_are_kept_as_they_were_typed():
    words = parse(["run", "pipelines.digits", "weight_decay=30", "name=a=b"])
    assert arguments_of(words.arguments) == {"weight_decay": "30", "name": "a=b"}


@pytest.mark.parametrize(
    "words",
    [
        ["sweep", "mine", "weight_decay=0,1", "rows=.5,1", "--out", "here", "--json"],
        ["sweep", "--out", "here", "--json", "mine", "weight_decay=0,1", "rows=.5,1"],
        ["sweep", "mine", "--out=here", "weight_decay=0,1", "--json", "rows=.5,1"],
    ],
)
def test_options_of_a_sweep_stand_anywhere(words):
    parsed = parse(words)
    assert (parsed.pipeline, str(parsed.out), parsed.json) == ("mine", "here", True)
    assert arguments_of(parsed.arguments) == {"weight_decay": "0,1", "rows": ".5,1"}


def test_the_help_of_a_sweep_says_what_can_be_an_axis_and_how_to_see_it(capsys):
    with pytest.raises(SystemExit):
        parse(["sweep", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "An axis must be an argument of the pipeline's function, decay=decoupled,cautious too" in told
    assert "such as help=1, is answered with all that it takes" in told
    assert "sweep.md and sweep.json" in told


@pytest.mark.parametrize("words", [["weight_decay"], ["=3"], ["a=1", "a=2"]])
def test_a_word_that_is_no_argument_is_refused(words):
    with pytest.raises(PipelineError):
        arguments_of(words)


def test_an_unknown_command_is_a_usage_error():
    with pytest.raises(SystemExit) as stopped:
        parse(["promot", "abc"])
    assert stopped.value.code == 2


def test_the_help_page_imports_nothing_heavy():
    code = (
        "import sys, contextlib, io, flows.__main__ as m\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        "    try: m.main(['--help'])\n"
        "    except SystemExit: pass\n"
        "print(sorted({'torch', 'mlflow', 'prefect', 'numpy', 'pandas', 'rich'} & set(sys.modules)))"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_how_many_rows_a_margin_takes_is_answered_with_its_exit_code(capsys):
    words = ["power", "--rows", "700", "--margin", ".03", "--disagreement", ".06", "--json"]
    assert COMMANDS["power"](parse(words), None) == 1
    assert '"rows": 987' in capsys.readouterr().out
    assert COMMANDS["power"](parse([*words, "--rows", "1000"]), None) == 0
    capsys.readouterr()
    assert COMMANDS["power"](parse(["power", "--limit", ".88", "--expected", ".93"]), None) == 0
    assert "takes 480 test rows" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rum", "pipelines.digits"], "wdgate: there is no command rum; did you mean run?"),
        (["xyzzy"], "wdgate: there is no command xyzzy ("),
        (
            ["run", "pipelines.digits", "--fresch"],
            "wdgate run: there is no option --fresch; did you mean --fresh?",
        ),
        (["judge", "--onx=model.onnx"], "there is no option --onx; did you mean --onnx?"),
        (["history", "digits", "more"], "wdgate history: 'more' is one word too many"),
        (["run"], "the following arguments are required: PIPELINE"),
        (["power", "--rows", "many"], "argument --rows: invalid int value: 'many'"),
    ],
)
def test_a_usage_error_is_one_sentence_with_the_nearest_name(words, sentence, capsys):
    with pytest.raises(SystemExit) as stopped:
        parse(words)
    told = capsys.readouterr().err
    assert stopped.value.code == 2
    assert sentence in told
    assert told.count("\n") == 1


def test_values_of_a_pipeline_need_not_be_given(capsys):
    with pytest.raises(SystemExit):
        parse(["run", "--help"])
    assert "none need be given" in " ".join(capsys.readouterr().out.split())
    assert parse(["run", "pipelines.digits"]).arguments == []


@pytest.mark.parametrize("more", [["--limit", ".9"], ["--rows", "9"], ["--looks", "3"], ["--margin", ".01"]])
def test_power_of_a_pipeline_takes_no_numbers_besides(more, tmp_path, monkeypatch, capsys):
    from flows.commands import power

    with pytest.raises(PipelineError, match=f"{more[0]} goes without a pipeline"):
        power(parse(["power", "pipelines.digits", *more]), None)
