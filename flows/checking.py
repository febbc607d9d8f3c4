"""What does `wdgate check` do with a pipeline's rows, with two files, and with one that has to be split?"""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from data_checks.errors import DataError, PipelineError
from flows.checked import Checked, Fixed, data_docs, show
from flows.naming import arguments_of
from flows.progress import doing
from flows.report import console, print_json
from flows.settings import Settings, read_salt

if TYPE_CHECKING:
    from data_checks.proposing import Proposal
    from data_checks.readers import Named
    from data_checks.report import DataReport
    from data_checks.splits import Splits

_OF_FILES = ("target", "group", "time", "id", "key", "out", "fix", "regression")


def check(arguments: Namespace, settings: Settings) -> int:
    """Check the data of a pipeline, of two files, or of one file that a split is proposed of."""
    from flows.progress import shown_to_a_person

    with shown_to_a_person():
        checked = _checked(arguments, settings)
        checked = replace(checked, paths={**checked.paths, **_write_findings(checked)})
    if arguments.json:
        print_json(checked.as_dict())
    else:
        show(checked, console())
    return 0 if checked.passed else 1


def _checked(arguments: Namespace, settings: Settings) -> Checked:
    from data_checks.sources import is_data

    if arguments.train or arguments.test or arguments.validation:
        return _check_files(arguments, settings)
    if not arguments.pipeline:
        raise PipelineError("`wdgate check` needs a pipeline, a file, or --train, --test and --target")
    if is_data(arguments.pipeline):
        return _check_one(arguments, settings)
    given = [name for name in _OF_FILES if getattr(arguments, name)]
    if given:
        raise PipelineError(f"--{given[0]} is for files, but {arguments.pipeline} is a pipeline")
    from flows.check_data import check_pipeline

    return check_pipeline(arguments.pipeline, arguments_of(arguments.arguments), readable=True)


def _check_files(arguments: Namespace, settings: Settings) -> Checked:
    from data_checks.sources import read_splits

    missing = [option for option in ("train", "test") if getattr(arguments, option) is None]
    if missing or arguments.pipeline:
        wrong = f"--{missing[0]} is missing" if missing else f"{arguments.pipeline} was given too"
        raise PipelineError(
            f"`wdgate check --train FILE --test FILE --target COLUMN` compares two files, but {wrong}"
        )
    _refuse_one_path(arguments)
    named = _named(arguments, arguments.train)
    options = {} if named is None else {**vars(named)}
    with doing("Reading the files"):
        splits = read_splits(
            arguments.train,
            arguments.test,
            validation=arguments.validation,
            regression=arguments.regression,
            # Nothing of it leaves this machine, so that rows are named by their numbers.
            public=True,
            **options,
        )
    checked = _ask(splits, settings, named)
    return _fix_files(checked, arguments) if arguments.fix else checked


def _check_one(arguments: Namespace, settings: Settings) -> Checked:
    from data_checks.proposing import propose

    if arguments.arguments:
        raise PipelineError(f"{arguments.arguments[0]!r} is for pipelines, but {arguments.pipeline} is data")
    path = Path(arguments.pipeline)
    named = _named(arguments, path)
    with doing("Looking for a split"):
        proposal = propose(path, named, regression=arguments.regression)
    paths = {} if arguments.fix else _write_parts(path, proposal, arguments.out)
    checked = replace(_ask(proposal.splits, settings, named), proposal=proposal, paths=paths)
    if not arguments.fix:
        return checked
    checked = _mended(checked)
    assert checked.fixed is not None  # noqa: S101 - what `_mended` is for
    leaking = checked.fixed.removal.rows
    places = {name: at[~leaking[name]] for name, at in proposal.places.items()}
    return replace(checked, paths=_write_parts(path, replace(proposal, places=places), arguments.out))


def _named(arguments: Namespace, path: Path) -> Named | None:
    """The columns that are no inputs; None for pictures, which have none."""
    from data_checks.readers import Named

    if path.is_dir():
        given = [name for name in ("group", "time", "id", "key") if getattr(arguments, name)]
        if given:
            raise PipelineError(f"--{given[0]} names a column, but {path} is a folder of pictures")
        return None
    if arguments.target is None:
        return None
    ids, keys = arguments.id, tuple(arguments.key or ())
    return Named(arguments.target, arguments.group, arguments.time, ids, keys)


def _ask(splits: Splits, settings: Settings, named: Named | None) -> Checked:
    from data_checks.default_checks import default_checks
    from data_checks.remembering import check_once
    from data_checks.targets import in_words

    # Files have gaps, which a pipeline would fill; a pipeline's rows must have none.
    docs, checks = data_docs(settings, splits), default_checks(gaps="warn")
    chosen_on = bool(len(splits.validation))
    with doing("Checking the data"):
        report = check_once(splits, checks, docs, salt=read_salt(settings), needs_validation=chosen_on)
    told = "Classes: " if named is None else f"Target {named.target}: "
    told += in_words(list(splits.named().values()))
    return Checked(report, checks, splits, docs, target=told + _group_hint(splits))


def _group_hint(splits: Splits) -> str:
    """What a column that is named like a patient or a site could be asked, where nobody asked."""
    from data_checks.looking import find_group

    found = find_group(splits.train) if splits.train.groups is None else None
    if found is None:
        return ""
    return f"\n{found.name} looks like a group: --group {found.name} asks whether one stands on both sides."


def _mended(checked: Checked) -> Checked:
    from data_checks.checks import check_splits
    from data_checks.fixing import mend

    chosen_on = bool(len(checked.splits.validation))

    def again(left: Splits) -> DataReport:
        return check_splits(left, checked.checks, self_test=False, needs_validation=chosen_on)

    with doing("Checking what is left"):
        removal, left = mend(checked.splits, checked.report, checked.checks, again)
    return replace(checked, fixed=Fixed(removal, left))


def _fix_files(checked: Checked, arguments: Namespace) -> Checked:
    """Write test, and validation where there is one, without the rows that leak."""
    import numpy as np

    from data_checks.evidence.schema import MINIMUM_ROWS
    from data_checks.writing import write_all, writer

    checked = _mended(checked)
    assert checked.fixed is not None  # noqa: S101 - what `_mended` is for
    leaking = {name: rows for name, rows in checked.fixed.removal.rows.items() if rows.any()}
    paths = {name: _clean_path(name, arguments) for name in leaking}
    kept = {name: np.flatnonzero(~rows) for name, rows in leaking.items()}
    for name, rows in kept.items():
        if len(rows) < MINIMUM_ROWS:
            all_rows = f"{len(leaking[name]) - len(rows):,} of {len(leaking[name]):,} {name} rows leak"
            raise DataError(
                f"{all_rows}: {len(rows):,} would be left, so that nothing was written; split the data anew"
            )
    write_all({paths[name]: writer(getattr(arguments, name), paths[name], kept[name]) for name in paths})
    return replace(checked, paths=paths)


def _clean_path(name: str, arguments: Namespace) -> Path:
    source: Path = getattr(arguments, name)
    folder: Path = source.parent if arguments.out is None else arguments.out
    return folder / f"{source.stem}.clean{source.suffix}"


def _refuse_one_path(arguments: Namespace) -> None:
    """Whatever the rows are, so that the same command is not refused only once both files leak."""
    if not (arguments.fix and arguments.validation):
        return
    test, validation = (_clean_path(name, arguments) for name in ("test", "validation"))
    if test.resolve() == validation.resolve():
        raise PipelineError(
            f"--fix would write {arguments.test} and {arguments.validation} both as {test}; "
            "it expects files of two names"
        )


def _write_parts(path: Path, proposal: Proposal, out: Path | None) -> dict[str, Path]:
    from data_checks.writing import write_places, write_rows

    with doing("Writing the parts"):
        if path.is_dir():
            written = (path if out is None else out) / "splits.csv"
            write_places(written, path, proposal.places)
            return {"splits": written}
        folder = path.parent if out is None else out
        ending = ".npz" if path.suffix.lower() == ".npz" else ".parquet"
        paths = {name: folder / f"{path.stem}.{name}{ending}" for name in proposal.places}
        write_rows({paths[name]: rows for name, rows in proposal.places.items()}, path)
        return paths


def _write_findings(checked: Checked) -> dict[str, Path]:
    """The page, and the failing rows as a file; what an earlier check left of them is taken away."""
    from data_checks.fixing import failing_rows

    page, path = checked.docs / "report.html", checked.docs / "rows.csv"
    rows = failing_rows(checked.report, checked.checks)
    if not len(rows):
        path.unlink(missing_ok=True)
        return {"report": page}
    made = path.with_suffix(".part")
    rows.to_csv(made, index=False)
    made.replace(path)
    return {"report": page, "rows": path}
