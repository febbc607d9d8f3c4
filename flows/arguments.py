"""Which commands are there, and what do they take?"""

from __future__ import annotations

import argparse
import difflib
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

SWITCHES = ("--json", "--no-promote", "--promote", "--fresh", "--fix", "--regression")

OPTIONS = ("--out",)
"""Options with one value that stand wherever a person puts them, too."""

DESCRIPTION = "Train with a measured weight decay; promote only what passes the generalization gates."

EXIT_CODES = "exit codes: 0 done; 1 refused by a check, a gate or a verification; 2 could not be carried out"


def parse(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line as values; usage errors end the program with exit code 2."""
    typed = list(sys.argv[1:] if words is None else words)
    # argparse takes no name=value behind an option; these mean the same wherever they stand.
    first: list[str] = []
    last: list[str] = []
    for place, word in enumerate(typed):
        behind = place > 0 and typed[place - 1] in OPTIONS
        moved = behind or word in SWITCHES or word.partition("=")[0] in OPTIONS
        (last if moved else first).append(word)
    root = parser()
    _refuse_unknown_command(root, first)
    found, left = root.parse_known_args(first + last)
    if left:
        _refuse_unknown_word(_commands(root)[found.command] if found.command else root, left[0])
    return found


class _Parser(argparse.ArgumentParser):
    """A parser whose usage errors are one sentence, as every other error is."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and end the program."""
        self.exit(2, f"{self.prog}: {message} (`{self.prog} --help` tells more)\n")


def _commands(root: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    return next(dict(a.choices) for a in root._actions if isinstance(a, argparse._SubParsersAction))


def _refuse_unknown_command(root: argparse.ArgumentParser, typed: Sequence[str]) -> None:
    command = next((word for word in typed if not word.startswith("-")), None)
    if command is not None and command not in _commands(root):
        root.error(f"there is no command {command}{_meant(command, _commands(root))}")


def _refuse_unknown_word(command: argparse.ArgumentParser, word: str) -> None:
    if not word.startswith("-"):
        command.error(f"{word!r} is one word too many")
    option = word.partition("=")[0]
    known = [name for action in command._actions for name in action.option_strings]
    command.error(f"there is no option {option}{_meant(option, known)}")


def _meant(word: str, known: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    root: argparse.ArgumentParser = _Parser("wdgate", description=DESCRIPTION, epilog=EXIT_CODES)
    root.add_argument("--version", action="store_true", help="print the version and stop")
    commands = root.add_subparsers(dest="command", metavar="COMMAND")
    work = (_run, _check, _judge, _sweep, _promote, _power)
    kept = (_init, _history, _verify, _rollback, _quarantine, _prune, _doctor, _audit)
    for add in (*work, *kept, _ui, _deploy, _new, _key):
        add(commands)
    return root


def _run(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("run", help="check the data, train, judge, and promote what passes")
    _pipeline(command)
    command.add_argument(
        "--no-promote", action="store_true", help="stop when the model is trained and exported"
    )
    command.add_argument("--fresh", action="store_true", help="check and train again what is known already")
    _json(command)


def _check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "check",
        help="only check the data: of a pipeline, of two files, or of one that it proposes a split of",
    )
    where = "a pipeline; or one file or folder of pictures, which a split is proposed of and written for"
    command.add_argument("pipeline", metavar="PIPELINE or FILE", nargs="?", help=where)
    _values(command)
    files = command.add_argument_group(
        "files (Parquet, CSV, npz) and folders of pictures (FOLDER/CLASS/*.png)"
    )
    files.add_argument("--train", type=Path, metavar="FILE", help="the rows that models are fitted on")
    files.add_argument("--test", type=Path, metavar="FILE", help="the rows that models are judged on")
    files.add_argument("--validation", type=Path, metavar="FILE", help="the rows that models are chosen on")
    files.add_argument("--target", metavar="COLUMN", help="the column that is predicted")
    files.add_argument("--group", metavar="COLUMN", help="the column that says which rows belong together")
    files.add_argument("--time", metavar="COLUMN", help="the column that says when a row happened")
    files.add_argument("--id", metavar="COLUMN", help="the column that names a row")
    files.add_argument("--key", metavar="COLUMN", action="append", help="a further column that is no input")
    files.add_argument("--regression", action="store_true", help="the target is a value, though it is whole")
    files.add_argument("--fix", action="store_true", help="write the rows again without those that leak")
    files.add_argument("--out", type=Path, metavar="FOLDER", help="where to write, if not beside the file")
    _json(command)


def _judge(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser(
        "judge",
        help="judge an ONNX file or a table of predictions that no pipeline has made",
        epilog="gates: at_least(accuracy, .9), at_most(nll, .3), within(confidence_gap, .05), skill(), "
        "robust(.7), no_worse(accuracy, .02), slices(COLUMN, at_least=.8), on(NAME, GATE); else skill()",
    )
    command.add_argument("--onnx", type=Path, metavar="FILE", help="the model")
    told = "its predictions instead: the ids, and a column of probability a class, or one named predicted"
    command.add_argument("--predictions", type=Path, metavar="FILE", help=told)
    command.add_argument("--champion", type=Path, metavar="FILE", help="another one, to compare with")
    counted = "a registered model: looks are counted in its ledger, and its champion is what is compared with"
    command.add_argument("--name", metavar="NAME", help=counted)
    told = "with --name: make a model that passes the champion"
    command.add_argument("--promote", action="store_true", help=told)
    command.add_argument("--test", type=Path, metavar="FILE", help="the rows that it is judged on")
    command.add_argument("--train", type=Path, metavar="FILE", help="the rows that it was fitted on")
    chosen_on = "rows apart from both, on which the slice is sought where it errs most"
    command.add_argument("--validation", type=Path, metavar="FILE", help=chosen_on)
    command.add_argument("--also", metavar="NAME=FILE", action="append", help="a further test set")
    command.add_argument("--target", metavar="COLUMN", help="the column that is predicted")
    command.add_argument("--group", metavar="COLUMN", help="the column that says which rows belong together")
    command.add_argument("--time", metavar="COLUMN", help="the column that says when a row happened")
    command.add_argument("--id", metavar="COLUMN", help="the column that names a row")
    command.add_argument("--key", metavar="COLUMN", action="append", help="a further column that is no input")
    command.add_argument(
        "--slice", metavar="COLUMN", action="append", help="a column to break results down by"
    )
    command.add_argument("--classes", metavar="A,B", help="the classes in the order of the model's columns")
    meaning = "what the file's only output is, where its name does not say it"
    command.add_argument("--output", choices=("probs", "logits", "predicted"), help=meaning)
    _gates(command)
    command.add_argument(
        "--regression", action="store_true", help="the target is a value, though it is whole"
    )
    _json(command)


def _sweep(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    told = "train every combination of values, and measure what the weight decay did against none"
    command = commands.add_parser(
        "sweep",
        help=told,
        epilog="several values between commas are an axis: weight_decay=0,0.1,1 dropout=0,0.2. Besides what "
        "the pipeline takes: seeds=5 (trainings a point), folds=5 (cross-validation; 1 is none), "
        "rows=.25,.5,1 (shares of the train rows), stage=all,early,late (when the decay acts). An axis must "
        "be an argument of the pipeline's function, decay=decoupled,cautious too; a name that it does not "
        "take, such as help=1, is answered with all that it takes",
    )
    _pipeline(command)
    files = "where to write sweep.parquet, sweep.png, sweep.md and sweep.json"
    command.add_argument("--out", type=Path, metavar="FOLDER", help=files)
    _json(command)


def _promote(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("promote", help="judge a finished run, and promote it if it passes")
    command.add_argument("run_id", metavar="RUN_ID", help="the run in MLflow")
    _json(command)


def _init(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("init", help="create a registered model and its ledger")
    _name(command)
    command.add_argument("--pipeline", help="whose gates it must pass (this or --gate is needed on a server)")
    succeeded = "the model that it follows, where no candidate can be compared with its champion"
    command.add_argument("--succeed", metavar="OLD", help=succeeded)
    command.add_argument("--reason", default="", help="why, for the record (with --succeed)")
    _gates(command)


def _history(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("history", help="what was judged and promoted, when and why")
    _name(command)
    _json(command)


def _verify(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    told = "check the champion against its ledger, or two files without a registry"
    command = commands.add_parser("verify", help=told)
    command.add_argument("name", metavar="NAME", nargs="?", help="the name of the model")
    command.add_argument("--onnx", type=Path, metavar="FILE", help="instead: a released model.onnx")
    command.add_argument("--certificate", type=Path, metavar="FILE", help="its certificate.json")
    believed = "the keys that are believed (WDGATE_TRUSTED_KEYS)"
    command.add_argument("--trusted-keys", type=Path, metavar="FILE", help=believed)
    _json(command)


def _rollback(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("rollback", help="make an earlier promoted version the champion again")
    _name(command)
    command.add_argument(
        "--to", type=int, metavar="VERSION", help="that version; else the one before the champion"
    )
    _json(command)


def _quarantine(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("quarantine", help="serve no version of a model until it is freed")
    _name(command)
    command.add_argument("--reason", default="", metavar="TEXT", help="why, for the record (needed)")
    command.add_argument("--free", action="store_true", help="let the champion be served again")


def _prune(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    told = "delete the model files of promotions that nothing needs any more; what is told of them stays"
    command = commands.add_parser("prune", help=told)
    _name(command)
    kept = "how many of the last promotions keep their files (default: 10), beside those that are needed"
    command.add_argument("--keep", type=int, default=10, metavar="N", help=kept)
    command.add_argument("--dry-run", action="store_true", help="only say which files would go")
    _json(command)


def _doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    told = "finish what a crash left of a model, and report what somebody changed by hand"
    command = commands.add_parser("doctor", help=told)
    _name(command)
    _json(command)


def _audit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    told = "write all that an auditor needs into one file, with a page that says how to check it"
    command = commands.add_parser("audit", help=told)
    _name(command)
    command.add_argument("--out", type=Path, metavar="F.zip", help="where (default: NAME-audit.zip)")


def _key(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    told = "make a key that promotions are signed with, or tell of one, and trust it"
    command = commands.add_parser("key", help=told)
    where = "the private key in PEM, which nobody else may read; made if it is not there"
    command.add_argument("file", metavar="FILE", type=Path, help=where)
    trusted = "the file of trusted keys that its public half is added to; else it is printed"
    command.add_argument("--trusted", type=Path, metavar="FILE", help=trusted)
    command.add_argument("--days", type=int, help="for how many its signatures count (default: no end)")
    command.add_argument("--note", default="", metavar="TEXT", help="whose it is, for people")


def _ui(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("ui", help="open the MLflow UI on the runs")
    command.add_argument(
        "--port", type=int, default=5000, help="where it listens on this machine (default: 5000)"
    )


def _deploy(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("deploy", help="register the scheduled deployments with a Prefect server")
    command.add_argument(
        "--work-pool", metavar="NAME", help="run all of them there instead of in their own pools"
    )


def _new(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = commands.add_parser("new", help="write the first version of your own pipeline")
    _name(command)
    kinds = ("table", "image_folder", "own_loop")
    command.add_argument(
        "--from", dest="kind", choices=kinds, default="table", help="what it starts from (default: table)"
    )


def _power(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    told = "how many test rows the gates need to decide their own limits, before anything is trained"
    command = commands.add_parser("power", help=told)
    command.add_argument("pipeline", metavar="PIPELINE", nargs="?", help="whose gates and test rows")
    _values(command)
    shares = {
        "margin": "the loss in accuracy that is allowed, such as .03",
        "disagreement": "the share of rows that one model gets right and the other wrong, such as .06",
        "limit": "the accuracy that is asked for, such as .88",
        "expected": "the accuracy that the model is expected to have, such as .93",
    }
    for name, meaning in shares.items():
        command.add_argument(f"--{name}", type=float, metavar="SHARE", help=meaning)
    command.add_argument("--rows", type=int, help="how many test rows, or groups of them, there are")
    command.add_argument("--looks", type=int, help="how many are planned (default: 20)")
    command.add_argument("--alpha", type=float, help="over all looks (default: .05)")
    _json(command)


def _gates(command: argparse.ArgumentParser) -> None:
    told = "what a model that no pipeline has made must show"
    command.add_argument("--gate", metavar="GATE", action="extend", nargs="+", help=told)
    command.add_argument("--alpha", type=float, help="the chance to err over all looks (default: .05)")
    command.add_argument("--looks", type=int, help="planned judgements on the same rows (default: 20)")


def _pipeline(command: argparse.ArgumentParser) -> None:
    where = "a module, module:function or path/to/file.py[:function], such as pipelines.digits"
    command.add_argument("pipeline", metavar="PIPELINE", help=where)
    _values(command)


def _values(command: argparse.ArgumentParser) -> None:
    told = "other values than its own for what the pipeline takes, such as epochs=20; none need be given"
    command.add_argument("arguments", metavar="name=value", nargs="*", help=told)


def _name(command: argparse.ArgumentParser) -> None:
    command.add_argument("name", metavar="NAME", help="the name of the model")


def _json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print one JSON document on standard output")
