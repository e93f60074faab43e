"""The steps of the training pipeline: the plain functions of this level, each done once per run.

Steps hand each other names of things, never the things: each result is a short JSON text that is kept, so that a
pipeline that was killed goes on after the last step it finished.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from prefect import runtime, task
from prefect.cache_policies import CacheKeyFnPolicy

from ..config import paths
from ..config.params import read_params
from ..config.version import application_version
from ..data import snapshot
from ..data.collect import collect
from ..data.drift import drift_of
from ..data.features import make_features
from ..data.validate import InvalidDataError, check_files, check_values
from ..registry import models
from .evaluate import check_beats, compare, hold_out
from .model import is_late, late_probability
from .plots import draw
from .train import check_learned, train, train_baselines


def _record_seconds(step: Any, run: Any, state: Any) -> None:
    if state.name == "Completed":  # and not "Cached", as when a resumed run passes a finished step
        mlflow.log_metric(f"seconds_{step.name}", (state.timestamp - run.start_time).total_seconds())


def step(retries: int = 0) -> Callable[..., Any]:
    """Make a function a step of the pipeline: done once per run, however often the run is resumed."""
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


@step(retries=2)
def collect_files() -> int:
    """Collect what has been dropped so far."""
    return len(collect(paths.DROP, paths.DATA))


@step()
def validate(run: str, until: str | None) -> str:
    """Join and check the collected data; a report is written if it breaks the schema."""
    try:
        check_files(paths.DATA)
        mlflow.log_dict(snapshot.fingerprints(paths.DATA), "raw.json")
        table = snapshot.load_table(paths.DATA)
        if until:
            table = table[table["scheduled_departure"] < until]
        check_values(table)
    except InvalidDataError as error:
        mlflow.log_dict({"problems": error.problems}, "validation.json")
        raise
    mlflow.log_dict(drift_of(*hold_out(table, read_params()["holdout_days"])), "drift.json")
    path = paths.RUNS / run / "table.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False)
    return str(path)


@step()
def restore_snapshot(run: str, md5: str) -> str:
    """Bring back the table of an earlier run."""
    return str(snapshot.table_of(run, md5))


@step(retries=2)
def take_snapshot(path: str) -> str:
    """Keep the table for good."""
    return snapshot.save(Path(path), paths.SNAPSHOTS, paths.REMOTE)


@step()
def fit(path: str) -> str:
    """Train on all but the last days; store the model in the run."""
    params = read_params()
    past, _ = hold_out(pd.read_parquet(path), params["holdout_days"])
    mlflow.log_params(params["model"] | {"holdout_days": params["holdout_days"]})
    model = train(past, params["model"])
    mlflow.log_metric("train_log_loss", check_learned(model, past))
    return models.log_model(model, pd.DataFrame(make_features(past.tail(5))))


@step()
def judge(path: str, uri: str) -> dict[str, float]:
    """Compare candidate, champion and baselines on the days none of them was trained on."""
    past, recent = hold_out(pd.read_parquet(path), read_params()["holdout_days"])
    baselines = train_baselines(past)
    compared = {"candidate": models.load(uri)} | baselines
    if champion := models.champion():
        compared["champion"] = models.load(champion.source)
        mlflow.set_tag("previous_model", champion.version)
    report = compare(compared, recent)
    answers = {name: late_probability(compared[name], recent) for name in compared if name not in baselines}
    draw(report, is_late(recent), answers, Path(path).parent)
    mlflow.log_dict(report, "report.json")
    for picture in Path(path).parent.glob("*.png"):
        mlflow.log_artifact(str(picture))
    mlflow.log_metrics({f"holdout_{name}": value for name, value in report["overall"]["candidate"].items()})
    check_beats(report["overall"], list(baselines))
    return report["overall"]


@step(retries=2)
def register(uri: str, md5: str) -> str:
    """Give the candidate a version; whether it is released is decided elsewhere."""
    return models.register(uri, {"snapshot": md5, "commit": application_version()})
