"""The steps that benchmarks/scale.py measures, each in a process whose peak of memory is the step's own."""

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import mlflow
import pandas as pd

from level4_full.config import paths
from level4_full.config.params import read_params
from level4_full.config.policy import read_policy
from level4_full.data import snapshot
from level4_full.data.drift import drift_of
from level4_full.data.features import make_features
from level4_full.data.validate import check_files, check_values
from level4_full.delivery import experiment
from level4_full.monitoring import feed, measure, metrics, observe, reports
from level4_full.monitoring.dates import before
from level4_full.monitoring.reference import reference
from level4_full.registry import models
from level4_full.serving.prediction_log import experiment_predictions
from level4_full.training import tasks
from level4_full.training.evaluate import hold_out
from level4_full.training.train import check_learned, train

from . import scale_data
from .scale_data import CHALLENGING, EXPERIMENT, SERVING, SHARE, day_of

TRAINED, MODEL = paths.STAGE / "trained" / snapshot.TABLE, paths.STAGE / "trained" / "model"
IMPORTED = [reports]  # the level imports it when it needs it, which takes seconds, whatever the rows
seconds: dict[str, tuple[float, float]] = {}  # of processor time and by the clock, by part of the step


@contextmanager
def timed(part: str) -> Iterator[None]:
    """Measure a part of a step."""
    processor, clock = time.process_time(), time.perf_counter()
    yield
    seconds[part] = time.process_time() - processor, time.perf_counter() - clock


def summarize() -> int:
    """Summarize the table that the champion was trained on: once per version, on the first day it is watched."""
    champion = models.version(SERVING)
    with timed("summarize"):
        reference(champion)
    return len(pd.read_parquet(paths.RUNS / champion.run_id / snapshot.TABLE, columns=["flight_id"]))


def watch(number: int) -> int:
    """Watch a day, as the daily check does on the morning after; return how many predictions it read."""
    yesterday, today = day_of(number), day_of(number + 1)
    champion = models.version(SERVING)
    with patch.object(metrics, "service_metrics", dict):  # no service runs that could be asked
        with timed("join"):
            recent = measure.predictions_with_outcomes(champion, before(today, measure.DAYS_BACK), yesterday)
        with timed("feed"):
            feed.examine_today(yesterday, champion, read_policy())
        with timed("measure"):
            measure.measure(champion, recent, yesterday)
        with timed("report"):
            measure.report(champion, recent, yesterday)
        with timed("observe"):
            observe.observe(champion, today)
    return len(recent)


def judge_experiment(number: int) -> int:
    """Read an A/B test that has lasted since the first day, and judge it; return how many flights it has."""
    with timed("A/B test"):
        rows = experiment_predictions(paths.PREDICTION_LOG, EXPERIMENT)
        champion, challenger = (models.served_as(models.version(version)) for version in (SERVING, CHALLENGING))
        answers = experiment.paired_answers(rows, champion, challenger, paths.DATA, day_of(1))
        experiment.judge(answers, experiment.Plan(number, SHARE, is_change=False))
    return len(answers)


def join_log(number: int) -> int:
    """Join the whole log with its outcomes, and measure it as if it were one day."""
    champion = models.version(SERVING)
    training = reference(champion)
    with timed("log and outcomes"):
        table = measure.predictions_with_outcomes(champion, day_of(1), day_of(number))
    with timed("features"):
        make_features(table)
    with timed("daily metrics"):
        landed = table.dropna(subset="arrival_delay")
        metrics.quality_metrics(landed, landed["champion_probability"])
        feed.statistics(table, training)
    return len(table)


def collect() -> int:
    """Collect a year of files, check their columns, and hash them."""
    with timed("collect"):
        tasks.collect_files.fn()
    with timed("check files"):
        check_files(paths.DATA)
    with timed("hash files"):
        files = snapshot.fingerprints(paths.DATA)
    return len(files)


def join_table() -> int:
    """Join flights and outcomes to the training table, and write it."""
    with timed("join"):
        table = snapshot.load_table(paths.DATA)
    TRAINED.parent.mkdir(exist_ok=True)
    with timed("write"):
        table.to_parquet(TRAINED, index=False)
    return len(table)


def check_table() -> int:
    """Check the values of the training table, and describe its drift."""
    table = pd.read_parquet(TRAINED)
    with timed("check values"):
        check_values(table)
    with timed("drift"):
        drift_of(*hold_out(table, read_params().holdout_days))
    return len(table)


def take_snapshot() -> int:
    """Keep the training table with DVC."""
    with timed("snapshot"):
        tasks.take_snapshot.fn(str(TRAINED))
    return TRAINED.stat().st_size


def fit() -> int:
    """Fit the model, see that it learned, and log it."""
    with timed("read"):
        past, _ = hold_out(pd.read_parquet(TRAINED), read_params().holdout_days)
    with timed("fit"):
        model = train(past, read_params().model.model_dump())
    with timed("check fit"):
        check_learned(model, past)
    with timed("log model"), mlflow.start_run():
        MODEL.write_text(models.log_model(model, pd.DataFrame(make_features(past.tail(5)))))
    return len(past)


def evaluate() -> int:
    """Compare the model with champion and baselines on the held-out days, and register it."""
    with mlflow.start_run():
        with timed("evaluate"):
            tasks.judge.fn(str(TRAINED), MODEL.read_text(), read_params().holdout_days)
        with timed("register"):
            tasks.register.fn(MODEL.read_text(), "")
    return len(pd.read_parquet(TRAINED, columns=["flight_id"]))


def orchestrate() -> int:
    """Run as many tasks as a training has, which do nothing: what is left is Prefect's."""
    from prefect import flow
    from prefect.testing.utilities import prefect_test_harness

    names = ["collect_files", "validate", "take_snapshot", "fit", "judge", "register"]

    @flow(name="nothing")
    def nothing(run: str) -> None:
        for name in names:
            tasks.once_per_run()(lambda: 0).with_options(name=name)()

    with prefect_test_harness(server_startup_timeout=120), mlflow.start_run(), timed("Prefect"):
        nothing("1")
    return len(names)


STEPS: dict[str, Callable[..., int | None]] = {
    step.__name__: step
    for step in (
        *(scale_data.make_models, scale_data.log_real_flights, scale_data.live_on, scale_data.drop_year),
        *(summarize, watch, judge_experiment, join_log),
        *(collect, join_table, check_table, take_snapshot, fit, evaluate, orchestrate),
    )
}


def measure_step(step: str, numbers: tuple[int, ...], folder: Path) -> None:
    """Run a step in this process, which is its own; write rows, seconds by part and bytes to `step.json`."""
    with (folder / "step.log").open("w") as log:
        os.dup2(log.fileno(), sys.stdout.fileno())
        os.dup2(log.fileno(), sys.stderr.fileno())
    rows = STEPS[step](*numbers)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    (folder / "step.json").write_text(json.dumps({"rows": rows, "seconds": seconds, "bytes": peak}))
