"""The tasks of the training pipeline: the plain functions of this level, each run once per training run.

Tasks pass on the names of things and never the things themselves: a result is a short JSON text that is kept, so
that a pipeline that was killed resumes after the last task that it finished.
"""

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from prefect import runtime, task
from prefect.cache_policies import CacheKeyFnPolicy

from ..config import paths
from ..config.params import Params
from ..config.problem import TIME
from ..config.version import application_version
from ..data import snapshot
from ..data.collect import collect
from ..data.drift import drift_of
from ..data.features import make_features
from ..data.rules import check_features, leave_out
from ..data.validate import InvalidDataError, check_files, check_values
from ..registry import models
from .evaluate import check_beats, compare, excess_loss, hold_out
from .model import label_of, «prediction»
from .plots import draw
from .surroundings import changed_since
from .train import check_learned, train, train_baselines
from .worth import worth_of


def _record_seconds(task: Any, run: Any, state: Any) -> None:
    if state.name == "Completed":  # and not "Cached", as when a resumed run passes a finished task
        mlflow.log_metric(f"seconds_{task.name}", (state.timestamp - run.start_time).total_seconds())


def once_per_run(retries: int = 0) -> Callable[..., Any]:
    """Make a function a task that runs once per training run, however often the run is resumed."""
    once = CacheKeyFnPolicy(
        cache_key_fn=lambda context, _: f"{runtime.flow_run.parameters['run']}-{context.task.name}"
    )
    return partial(
        task,
        cache_policy=once,
        persist_result=True,
        result_serializer="json",
        retries=retries,
        retry_delay_seconds=1,
        on_completion=[_record_seconds],
    )


@once_per_run(retries=2)
def collect_files() -> int:
    """Collect the files that were published so far."""
    return len(collect(paths.DROP, paths.DATA))


@once_per_run()
def validate(run: str, until: str | None, holdout_days: int) -> str:
    """Join and check the collected data; log a report if they break the schema."""
    try:
        check_files(paths.DATA)
        mlflow.log_dict(snapshot.fingerprints(paths.DATA), "raw.json")
        table = snapshot.load_table(paths.DATA)
        if until:
            table = table[table[TIME] < until]
        check_values(table)
    except InvalidDataError as error:
        mlflow.log_dict({"problems": error.problems}, "validation.json")
        raise
    check_features(table)
    mlflow.log_dict(drift_of(*hold_out(table, holdout_days)), "drift.json")
    path = paths.RUNS / run / "table.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False)
    return str(path)


@once_per_run()
def restore_snapshot(run: str, md5: str) -> str:
    """Restore the table of an earlier run, without those who have asked to be forgotten since."""
    path = snapshot.table_of(run, md5)
    table = pd.read_parquet(path)
    kept = leave_out(table, paths.DATA)
    check_features(kept)
    if len(kept) < len(table):
        kept.to_parquet(path, index=False)
    return str(path)


@once_per_run(retries=2)
def take_snapshot(path: str) -> str:
    """Keep the table as a snapshot."""
    return snapshot.save(Path(path), paths.SNAPSHOTS, paths.REMOTE)


@once_per_run()
def fit(path: str, params: Params) -> str:
    """Train on all but the held-out days; store the model in the run."""
    past, _ = hold_out(pd.read_parquet(path), params.holdout_days)
    hyperparameters = params.model.model_dump()
    mlflow.log_params(hyperparameters | {"holdout_days": params.holdout_days})
    model = train(past, hyperparameters)
    mlflow.log_metric("train_«loss»", check_learned(model, past))
    return models.log_model(model, pd.DataFrame(make_features(past.tail(5))))


@once_per_run()
def judge(path: str, uri: str, holdout_days: int) -> dict[str, float]:
    """Compare candidate, champion and baselines on the held-out days."""
    past, recent = hold_out(pd.read_parquet(path), holdout_days)
    baselines = train_baselines(past)
    compared = {"candidate": models.load(uri)} | baselines
    if champion := models.champion():
        compared["champion"] = models.load(champion.source)
        mlflow.set_tag("previous_model", champion.version)
    predictions = {name: «prediction»(model, recent) for name, model in compared.items()}
    report = compare(predictions, recent)
    excess = {
        name: excess_loss(predictions["candidate"], other, recent)
        for name, other in predictions.items()
        if name != "candidate"
    }
    report["excess_loss"] = {name: asdict(difference) for name, difference in excess.items()}
    report["changed"] = changed_since(champion.run_id if champion else None, past)  # since the champion's training
    held_out = recent[TIME].dt.strftime("%Y-%m-%d")
    mlflow.set_tag("held_out", f"{held_out.min()} to {held_out.max()}")
    if champion:
        mlflow.set_tag("against_champion", str(excess["champion"]))
    drawn = {name: predictions[name] for name in predictions if name not in baselines}
    draw(report, label_of(recent), drawn, Path(path).parent)
    mlflow.log_dict(report, "report.json")
    mlflow.log_dict(worth_of(compared["candidate"], recent), "features.json")
    for plot in Path(path).parent.glob("*.png"):
        mlflow.log_artifact(str(plot))
    mlflow.log_metrics({f"holdout_{name}": value for name, value in report["overall"]["candidate"].items()})
    check_beats(excess, list(baselines))
    return report["overall"]


@once_per_run(retries=2)
def register(uri: str, md5: str) -> str:
    """Register the candidate as a new version; whether it is released is decided elsewhere."""
    return models.register(uri, {"snapshot": md5, "commit": application_version()})
