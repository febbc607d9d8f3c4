"""What does each command do? One function a command; each answers with the exit code."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_checks.errors import CannotProceed, PipelineError
from flows import report
from flows.checking import check
from flows.followers import follow, leading, led
from flows.judging import judge
from flows.keys import key, of_files, verify_files
from flows.naming import arguments_of
from flows.progress import doing, shown_to_a_person
from flows.server import open_store, start
from flows.settings import Settings
from wd_train.world import read_world

if TYPE_CHECKING:
    from wdgate.registry import Registry
    from wdgate.serving import Verified


def run(arguments: Namespace, settings: Settings) -> int:
    """Train and promote, or stop at the bar."""
    from pipelines.pipeline import load_pipeline

    words, world = arguments_of(arguments.arguments), read_world()
    if not world.first:
        arguments.json = False  # one process answers
        return follow(world, arguments.pipeline, words)
    with shown_to_a_person(), leading(world):
        # Before Prefect starts a server: a misspelt argument is told at once.
        with doing("Loading the pipeline"):
            load_pipeline(arguments.pipeline, words)
        with doing("Starting Prefect's server"):
            start()
        if arguments.no_promote:
            from flows.train import train

            summary = report.of_candidate(train(arguments.pipeline, words, arguments.fresh))
        else:
            from flows.train_and_promote import train_and_promote

            summary = train_and_promote(arguments.pipeline, words, arguments.fresh)
    return tell(summary, arguments, settings)


def promote(arguments: Namespace, settings: Settings) -> int:
    """Judge a finished run, and promote it if it passes."""
    from flows.promote import promote as promote_run
    from flows.tracking import read_candidate

    read_candidate(settings, arguments.run_id)
    with shown_to_a_person():
        with doing("Starting Prefect's server"):
            start()
        summary = promote_run(arguments.run_id)
    return tell(summary, arguments, settings)


def sweep(arguments: Namespace, settings: Settings) -> int:
    """Train a grid, and say what the weight decay did."""
    from pipelines.grid import grid_of, read_asked

    words = arguments_of(arguments.arguments)
    # Before Prefect starts a server: what makes no grid is told at once.
    grid_of(read_asked(arguments.pipeline, words))
    if arguments.out is not None and arguments.out.exists() and not arguments.out.is_dir():
        raise CannotProceed(f"--out {arguments.out} is a file, expected a folder")
    with shown_to_a_person():
        with doing("Starting Prefect's server"):
            start()
        from flows.sweep import sweep as run_sweep

        result = run_sweep(arguments.pipeline, words, arguments.out)
    if arguments.json:
        report.print_json(result.as_dict())
    else:
        from flows import sweep_report

        sweep_report.show(result, report.console(), settings.ui_command)
    return 0


def init(arguments: Namespace, settings: Settings) -> int:
    """Create a registered model and its ledger."""
    asks = _asks(arguments)
    if arguments.pipeline is None and asks is None and not settings.embedded:
        raise PipelineError(
            f"`wdgate init {arguments.name}` needs --pipeline: whose gates must the model pass? "
            "Or --gate, for models that no pipeline makes"
        )
    open_store()
    registry = _registry(arguments, settings)
    if arguments.succeed is None:
        registry.init(arguments.pipeline, asks)
    else:
        from wdgate.succession import succeed

        old = _registry(Namespace(name=arguments.succeed), settings)
        succeed(registry, old, arguments.pipeline, asks, reason=arguments.reason)
    print(f"{arguments.name} and its ledger are ready at {settings.tracking_uri}")
    return 0


def _asks(arguments: Namespace) -> Mapping[str, Any] | None:
    """The gates that a ledger is opened for, for models that no pipeline makes."""
    from wdgate.judge_named import ALPHA, LOOKS, Terms

    if arguments.gate is None:
        if (arguments.alpha, arguments.looks) != (None, None):
            raise PipelineError("--alpha and --looks go with --gate; those of a pipeline are in its file")
        return None
    if arguments.pipeline is not None:
        raise PipelineError("--gate goes without --pipeline, whose gates are in its file")
    alpha = ALPHA if arguments.alpha is None else arguments.alpha
    looks = LOOKS if arguments.looks is None else arguments.looks
    return Terms(tuple(arguments.gate), alpha, looks).as_dict()


def history(arguments: Namespace, settings: Settings) -> int:
    """Print the ledger, oldest entry first."""
    from wdgate.serving import history as read_history

    entries = read_history(_registry(arguments, settings))
    if arguments.json:
        report.print_json(entries)
    else:
        report.console().print(report.history_table(entries))
    return 0


def verify(arguments: Namespace, settings: Settings) -> int:
    """Check the champion against its ledger, or two files against the trusted keys, item by item."""
    if of_files(arguments):
        return verify_files(arguments, settings)
    from wdgate.serving import verify as verify_champion

    return _told(verify_champion(_registry(arguments, settings, arguments.trusted_keys)), arguments)


def rollback(arguments: Namespace, settings: Settings) -> int:
    """Make an earlier promoted version the champion again."""
    from wdgate.serving import rollback as roll_back

    version = roll_back(_registry(arguments, settings), arguments.to)
    if arguments.json:
        report.print_json({"model": arguments.name, "version": version})
    else:
        print(f"Version {version} of {arguments.name} is the champion now.")
    return 0


def quarantine(arguments: Namespace, settings: Settings) -> int:
    """Keep every version of a model from being served, or end that."""
    from wdgate.quarantine import free
    from wdgate.quarantine import quarantine as shut

    entry = (free if arguments.free else shut)(_registry(arguments, settings), arguments.reason)
    done = "may be served again" if arguments.free else "is in quarantine: nothing of it is served"
    print(f"{arguments.name} {done} ({entry.body['reason']}, said by {entry.by} at {entry.at}).")
    return 0


def prune(arguments: Namespace, settings: Settings) -> int:
    """Delete the model files that nothing needs any more."""
    from wdgate.retention import prune as delete

    registry = _registry(arguments, settings)
    gone = delete(registry, arguments.keep, dry_run=arguments.dry_run)
    versions = [registry.version_of(entry) for entry in gone]
    if arguments.json:
        told = {"model": arguments.name, "dry_run": arguments.dry_run, "versions": versions}
        report.print_json(told)
        return 0
    done = "would be deleted" if arguments.dry_run else "was deleted"
    numbers = ", ".join(str(version) for version in versions)
    print(f"model.onnx of {arguments.name} {done}: {f'versions {numbers}' if versions else 'of no version'}.")
    return 0


def doctor(arguments: Namespace, settings: Settings) -> int:
    """Mend what a crash left; 1: something is for a person to decide."""
    from wdgate.doctor import examine

    return _told(examine(_registry(arguments, settings)), arguments)


def audit(arguments: Namespace, settings: Settings) -> int:
    """Write what an auditor needs."""
    from wdgate.audit import audit as write

    path = arguments.out or Path(f"{arguments.name}-audit.zip")
    with doing(f"Reading the ledger and the releases of {arguments.name}"):
        write(_registry(arguments, settings), path)
    print(f"Wrote {path}. Its README.md says how to check it without wdgate.")
    return 0


def ui(arguments: Namespace, settings: Settings) -> int:
    """Serve the MLflow UI until it is interrupted."""
    if not settings.embedded:
        print(f"The runs are at {settings.tracking_uri}: open that address")
        return 0
    from flows.ui import serve

    return serve(settings.tracking_uri, arguments.port)


def deploy(arguments: Namespace, settings: Settings) -> int:
    """Register the deployments with the Prefect server."""
    from prefect.settings import PREFECT_API_URL

    from flows.deployments import deploy as register

    if not PREFECT_API_URL.value():
        raise CannotProceed("`wdgate deploy` needs the address of a Prefect server in PREFECT_API_URL")
    for name in register(arguments.work_pool):
        print(name)
    return 0


def new(arguments: Namespace, settings: Settings) -> int:
    """Write the first version of a user's own pipeline."""
    from flows.new import write

    path = write(arguments.name, arguments.kind)
    print(f"Wrote {path}. Run it: wdgate run {path}")
    return 0


def power(arguments: Namespace, settings: Settings) -> int:
    """Say how many test rows the gates need; what is known to be too few is refused."""
    from wdgate.power import Plan, asked, independent_rows, needs

    if arguments.pipeline is None:
        alpha = 0.05 if arguments.alpha is None else arguments.alpha
        plan = Plan(alpha, 20 if arguments.looks is None else arguments.looks, arguments.rows)
        told = asked(arguments.margin, arguments.disagreement, arguments.limit, arguments.expected, plan)
    else:
        from pipelines.pipeline import load_pipeline

        _refuse_mixture(arguments)
        pipeline = load_pipeline(arguments.pipeline, arguments_of(arguments.arguments)).pipeline
        rows = independent_rows(pipeline.splits().test)
        told = needs(pipeline.gates, Plan(pipeline.alpha, pipeline.looks, *rows))
    if arguments.json:
        report.print_json([{**vars(need), "enough": need.enough} for need in told])
    else:
        print("\n".join(need.sentence for need in told) or "No gate asks for a share of rows.")
    return 0 if all(need.enough for need in told) else 1


def _refuse_mixture(arguments: Namespace) -> None:
    names = ("margin", "disagreement", "limit", "expected", "rows", "looks", "alpha")
    given = next((name for name in names if getattr(arguments, name) is not None), None)
    if given is not None:
        raise PipelineError(
            f"--{given} goes without a pipeline: {arguments.pipeline} has gates, looks and rows of its own"
        )


COMMANDS: Mapping[str, Callable[[Namespace, Settings], int]] = {
    function.__name__: function if function is run else led(function)
    for function in (
        *(run, promote, check, judge, sweep, power),
        *(init, history, verify, rollback, quarantine, prune, doctor, audit, ui, deploy, new, key),
    )
}


def tell(summary: report.Summary, arguments: Namespace, settings: Settings) -> int:
    """Print a summary, for a person or for a program."""
    if arguments.json:
        report.print_json(summary.as_dict())
    else:
        report.show(summary, report.console(), settings.ui_command)
    return summary.exit_code


def _told(found: Iterable[Verified], arguments: Namespace) -> int:
    """Print items that were looked at; 1 where one is not as it must be."""
    items = [vars(item) for item in found]
    verified = all(item["ok"] for item in items)
    if arguments.json:
        report.print_json({"verified": verified, "items": items})
    else:
        report.console().print(report.items_table(items))
    return 0 if verified else 1


def _registry(arguments: Namespace, settings: Settings, trusted_keys: Path | None = None) -> Registry:
    from wdgate.registry import Registry

    location = settings.artifact_location
    return Registry(
        arguments.name, settings.tracking_uri, artifact_location=location, trusted_keys=trusted_keys
    )
