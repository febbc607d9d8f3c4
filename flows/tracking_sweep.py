"""What does MLflow hold of a sweep? One run with the table and the plot, and a child run for each point."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.settings import Settings
from flows.tracking import NOTE, Run, answering, experiment_of
from pipelines.dependence import effect_on
from pipelines.results import PointResult, Sweep

PARENT = "mlflow.parentRunId"


def log_sweep(settings: Settings, sweep: Sweep, key: str, paths: Mapping[str, Path]) -> str:
    """Store a sweep once: a finished run of the same content is left as it is; the id of its run."""
    with answering(settings):
        client = Run(settings, "").client
        experiment = experiment_of(client, settings, sweep.model)
        found = client.search_runs([experiment], f"tags.`wdgate.sweep` = '{key}'", max_results=1)
        if found and found[0].info.status == "FINISHED":
            return str(found[0].info.run_id)
        for left in found:  # it was killed while it was logged, perhaps with some of its children
            _delete(client, experiment, left.info.run_id)
        run = _begin(
            settings, experiment, f"sweep {' '.join(_shape(sweep))}".strip(), **{"wdgate.sweep": key}
        )
        for point in sweep.points:
            _log_point(settings, experiment, run.run_id, sweep, point)
        _log_parent(run, sweep, paths)
        return run.run_id


def _log_parent(run: Run, sweep: Sweep, paths: Mapping[str, Path]) -> None:
    for path in paths.values():
        run.client.log_artifact(run.run_id, str(path))
    chosen = {} if sweep.chosen is None else sweep.points[sweep.chosen].means
    run.metrics({f"chosen/{name}": value for name, value in chosen.items()})
    run.tag(**{NOTE: "\n\n".join([sweep.sentence, *sweep.notes, sweep.command])}, decision="swept")
    run.client.set_terminated(run.run_id, "FINISHED")


def _log_point(settings: Settings, experiment: str, parent: str, sweep: Sweep, point: PointResult) -> None:
    run = _begin(settings, experiment, point.words or "as configured", **{PARENT: parent})
    described = {"weight_decay": point.weight_decay, "learning_rate": point.learning_rate, "rows": point.rows}
    for name, value in {**described, **point.values}.items():
        run.client.log_param(run.run_id, name, value)
    run.metrics({f"validation_{name}": value for name, value in point.means.items()})
    run.metrics(_effects(point))
    words = point.effect.sentence if point.effect is not None else "A control without weight decay."
    lost = {"diverged": "; ".join(f"seed {m.seed}: {m.diverged}" for m in point.diverged)}
    run.tag(**{NOTE: words}, decision="swept", **(lost if point.diverged else {}))
    run.client.set_terminated(run.run_id, "FINISHED")


def _effects(point: PointResult) -> dict[str, float]:
    effects = {} if point.effect is None else {name: effect_on(point, name) for name in point.means}
    return {
        f"effect on {name} {side}": float(getattr(effect, side))
        for name, effect in effects.items()
        if effect is not None
        for side in ("difference", "lower", "upper")
    }


def _shape(sweep: Sweep) -> list[str]:
    return [f"{name}={','.join(str(value) for value in values)}" for name, values in sweep.axes.items()]


def _begin(settings: Settings, experiment: str, name: str, **tags: str) -> Run:
    own = {"mlflow.user": getpass.getuser(), "decision": "sweeping", **tags}
    client = Run(settings, "").client
    return Run(settings, client.create_run(experiment, tags=own, run_name=name[:250]).info.run_id)


def _delete(client: Any, experiment: str, run_id: str) -> None:
    for child in client.search_runs([experiment], f"tags.`{PARENT}` = '{run_id}'"):
        client.delete_run(child.info.run_id)
    client.delete_run(run_id)
