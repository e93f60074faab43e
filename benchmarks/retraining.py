"""What retraining can bring at most: March to December, answered by models of different ages.

Trained once, every month, every week; and the same with each model a week late, which is what the A/B test costs.
The models are the level's own, the last week held out as always. It is the yardstick for the closed loop.

Run: `make bench` writes docs/retraining.json and docs/retraining.png. It trains 45 models, which takes minutes.
"""

import json
from collections.abc import Iterable
from datetime import date, timedelta

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.progress import track

from level4_full.config.params import read_params
from level4_full.delivery.experiment import MIN_DAYS
from level4_full.training.evaluate import hold_out, log_losses
from level4_full.training.model import is_late, late_probability
from level4_full.training.train import train
from shared import base
from shared.base import ROOT, write_text
from shared.world.dataset import load_year
from shared.world.period import LIVE

LATE = MIN_DAYS + 1  # days from a training to full traffic, at the least


def mondays() -> list[date]:
    """Return the first live day and every Monday after it."""
    first = LIVE + timedelta(days=-LIVE.weekday() % 7)
    return [LIVE, *(first + timedelta(weeks=n) for n in range(44))]


def losses_by_model(table: pd.DataFrame) -> dict[date, "pd.Series[float]"]:
    """Return the daily sum of log losses of the model trained on each of these days."""
    params, live = read_params(), table[table["day"] >= str(LIVE)]
    late = is_late(live).to_numpy() == 1
    models = {}
    for day in track(mondays(), "models"):
        past, _ = hold_out(table[table["day"] < str(day)], params.holdout_days)
        model = train(past, params.model.model_dump())
        losses = log_losses(late_probability(model, live), late)
        models[day] = pd.Series(losses, live.index).groupby(live["day"]).sum()
    return models


def served(losses: dict[date, "pd.Series[float]"], trained: Iterable[date], late: int) -> "pd.Series[float]":
    """Return each day's losses when the models of some days come into service `late` days after."""
    days = next(iter(losses.values())).index
    ready = {day + timedelta(days=late): day for day in trained} | {LIVE: LIVE}
    newest = {day: ready[max(ready_on for ready_on in ready if str(ready_on) <= day)] for day in days}
    return pd.Series({day: losses[newest[day]][day] for day in days})


def main() -> None:
    """Measure, and write both files."""
    year = load_year(base.WORKSPACES / "year")
    table = year.flights.reset_index().merge(year.outcomes, on="flight_id").dropna(subset="arrival_delay")
    losses, flights = losses_by_model(table), table[table["day"] >= str(LIVE)].groupby("day").size()
    weekly = mondays()[1:]
    monthly = [day for day in weekly if day.day <= 7]
    ways = {
        "once": served(losses, [], 0),
        "monthly": served(losses, monthly, 0),
        "monthly, a week late": served(losses, monthly, LATE),
        "weekly": served(losses, weekly, 0),
        "weekly, a week late": served(losses, weekly, LATE),
    }
    total = {name: float(losses_.sum() / flights.sum()) for name, losses_ in ways.items()}
    distance = total["once"] - total["weekly"]
    results = {
        "log_loss": total,
        "trainings": {"once": 0, "monthly": len(monthly), "weekly": len(weekly)},
        "share_of_the_distance": {name: (total["once"] - mean) / distance for name, mean in total.items()},
    }
    write_text(ROOT / "docs" / "retraining.json", json.dumps(results, indent=2) + "\n")
    draw(ways, flights).savefig(ROOT / "docs" / "retraining.png", dpi=110)
    print(json.dumps(results, indent=2))


def draw(ways: dict[str, "pd.Series[float]"], flights: "pd.Series[int]") -> Figure:
    """Draw what each way gains on the model that was trained once, summed up over the year."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, losses_ in ways.items():
        gained = (ways["once"] - losses_).cumsum() / flights.sum()
        axes.plot(np.asarray(pd.to_datetime(gained.index)), gained, label=name)
    axes.set(ylabel="log loss gained on once", title="What retraining brings, March to December")
    axes.legend()
    return figure


if __name__ == "__main__":
    main()
