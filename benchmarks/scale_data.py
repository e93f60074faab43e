"""The data that benchmarks/scale.py measures on: real flights drawn with replacement, in the stage of a level 4.

A day of ten times the traffic is ten times as many flights, drawn from those of that real day, each with an id of
its own. The models are trained on January, and the log begins with February.
"""

import itertools
import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import mlflow
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from level4_full.config import paths
from level4_full.config.database import Database
from level4_full.config.params import read_params
from level4_full.config.problem import NAME
from level4_full.data.features import make_features
from level4_full.data.schema import Flight
from level4_full.data.snapshot import TABLE
from level4_full.monitoring import metrics
from level4_full.registry import artifact, history, models
from level4_full.registry.lifecycle import State
from level4_full.serving.prediction_log import COLUMNS, Logged, append, open_log
from level4_full.serving.routing import CHALLENGER, CHAMPION, arm_of
from level4_full.training.train import train
from shared import base
from shared.world.dataset import FLIGHTS, OUTCOMES, load_year

FIRST = date(2013, 2, 1)  # day 1 of the log
EXPERIMENT, SHARE = "scale", 0.5
VERSIONS = PREVIOUS, SERVING, CHALLENGING = "1", "2", "3"
REAL_FLIGHTS = 336_776  # of the year
REAL_LOG = paths.STAGE / "real.db"  # of the real flights, from which longer logs are drawn


def day_of(number: int) -> str:
    """Return a day of the log by its number."""
    return str(FIRST + timedelta(days=number - 1))


def real_days() -> dict[str, pd.DataFrame]:
    """Return the flights of each day of the year, with their outcomes."""
    year = load_year(base.WORKSPACES / "year")
    table = year.flights.assign(arrival_delay=year.outcomes["arrival_delay"].to_numpy())
    return {str(day): rows.reset_index(drop=True) for day, rows in table.groupby(level="day")}


def draw(real: pd.DataFrame, times: float, seed: int) -> pd.DataFrame:
    """Draw `times` as many flights as there are, in order of departure; `drawn_from` is the id of the real one."""
    rows = np.random.default_rng(seed).integers(0, len(real), round(times * len(real)))
    drawn = real.iloc[np.sort(rows)].reset_index(drop=True)
    new_id = drawn["flight_id"] + "-" + drawn.index.astype(str)
    return drawn.assign(drawn_from=drawn["flight_id"], flight_id=new_id)


def publish(flights: pd.DataFrame, day: str, folder: Path) -> None:
    """Write a day's flights and outcomes, as the upstream does."""
    for kind, columns in {"flights": FLIGHTS, "outcomes": OUTCOMES}.items():
        (folder / kind).mkdir(parents=True, exist_ok=True)
        flights[columns].to_parquet(folder / kind / f"{day}.parquet", index=False)


def make_models() -> None:
    """Train the previous champion, the champion and a challenger on January, package and register them."""
    from level4_full.delivery.package import package  # seconds of imports

    january = pd.concat(rows for day, rows in real_days().items() if day < day_of(1))
    january = january.dropna(subset="arrival_delay").reset_index(drop=True)
    mlflow.create_experiment("training", artifact_location=str(paths.STAGE.resolve() / "artifacts"))
    mlflow.set_experiment("training")
    for version in VERSIONS:
        model = train(january, read_params().model.model_dump() | {"random_state": int(version)})
        folder = paths.FETCHED / version
        digest = package(model, january, {"version": version}, folder)
        folder.rename(paths.FETCHED / digest)
        with mlflow.start_run():
            uri = models.log_model(model, pd.DataFrame(make_features(january.tail(5))))
            models.register(uri, {"snapshot": "", "digest": digest})
    for version in (PREVIOUS, SERVING):
        history.record(version, State.CHAMPION, "to measure")
    models.set_alias(models.CHAMPION, SERVING)
    models.set_alias(CHALLENGER, CHALLENGING)


def log_real_flights() -> None:
    """Log a prediction for every real flight from day 1 on, as the application does during an A/B test."""
    digests = {version: models.version(version).tags["digest"] for version in VERSIONS}
    names = {version: f"{NAME}/{version}@{digest[:12]}" for version, digest in digests.items()}
    loaded = {version: artifact.load(paths.FETCHED / digest, digest) for version, digest in digests.items()}
    with open_log(REAL_LOG) as log:
        for day, flights in real_days().items():
            if day < day_of(1):
                continue
            features = make_features(flights)
            champion, challenger = (loaded[version].predict(features) for version in (SERVING, CHALLENGING))
            columns = flights.columns.drop("arrival_delay")
            published = json.loads(flights[columns].to_json(orient="records", date_format="iso"))
            requests = map(Flight.model_validate, published)
            append(
                log,
                [
                    Logged(
                        request,
                        CHALLENGER,
                        names[CHALLENGING],
                        float(new),
                        EXPERIMENT,
                        {names[SERVING]: float(old)},
                    )
                    if arm_of(f"{request.carrier}{request.flight}", EXPERIMENT, SHARE) == CHALLENGER
                    else Logged(
                        request, CHAMPION, names[SERVING], float(old), EXPERIMENT, {names[CHALLENGING]: float(new)}
                    )
                    for request, old, new in zip(requests, champion, challenger, strict=True)
                ],
            )


def live_on(times: float, first: int, last: int) -> None:
    """Live through the days first to last, at so many times the traffic.

    What was predicted is logged, flights and outcomes are published, every day has its report, and in the end the
    champion has been trained on all of them.
    """
    log_days(times, first, last)
    _train_on(last)
    _report(last)


def log_days(times: float, first: int, last: int) -> None:
    """Log, and publish with their outcomes, `times` as many flights of the days first to last."""
    real = real_days()
    metrics.predictions(paths.PREDICTION_LOG, day_of(first), day_of(first))  # which makes its index
    with open_log(paths.PREDICTION_LOG) as log:
        log.execute("ATTACH ? AS real", [str(REAL_LOG)])
        log.execute("CREATE TEMP TABLE draw (new_id TEXT, drawn_from TEXT)")
        for number in range(first, last + 1):
            day = day_of(number)
            flights = draw(real[day], times, number)
            publish(flights, day, paths.DATA)
            _log_draw(log, flights)


def _log_draw(log: Database, flights: pd.DataFrame) -> None:
    """Log what was predicted for the real flights once more for each that was drawn from them."""
    new = {"flight_id": "new_id", "inputs": "replace(inputs, flight_id, new_id)"}
    columns = COLUMNS.split()
    query = f"""
    INSERT INTO predictions ({", ".join(columns)})
    SELECT {", ".join(new.get(column, column) for column in columns)}
    FROM draw CROSS JOIN real.predictions ON flight_id = drawn_from
    """  # noqa: S608
    with log.transaction():
        log.execute("DELETE FROM draw")
        log.executemany(
            "INSERT INTO draw VALUES (?, ?)", list(zip(flights["flight_id"], flights["drawn_from"], strict=True))
        )
        log.execute(query)


def _train_on(last: int) -> None:
    """Write the table that the champion was trained on, day by day: all flights up to a day."""
    path = paths.RUNS / models.version(SERVING).run_id / TABLE
    shutil.rmtree(path.parent, ignore_errors=True)  # with the summary of an older table
    path.parent.mkdir(parents=True)
    days = (table_of_day(paths.DATA, day_of(number)) for number in range(1, last + 1))
    first = next(days)
    with pq.ParquetWriter(path, first.schema) as writer:
        for table in itertools.chain([first], days):
            writer.write_table(table)


def table_of_day(data: Path, day: str) -> pa.Table:
    """Return the flights of a day that have landed, with their outcomes."""
    flights, outcomes = (pd.read_parquet(data / kind / f"{day}.parquet") for kind in ("flights", "outcomes"))
    table = flights.assign(arrival_delay=outcomes["arrival_delay"]).dropna(subset="arrival_delay")
    return pa.Table.from_pandas(table, preserve_index=False)


def _report(last: int) -> None:
    """Let there be a report for each day so far, all of them copies of the newest."""
    reports = list(paths.REPORTS.glob("*/snapshots/*.json"))
    for _ in range(last - len(reports) if reports else 0):
        shutil.copyfile(reports[0], reports[0].with_name(f"{uuid4()}.json"))


def drop_year(rows: int) -> None:
    """Publish a year of about so many flights, for a training."""
    for number, (day, real) in enumerate(real_days().items()):
        publish(draw(real, rows / REAL_FLIGHTS, number), day, paths.DROP)
