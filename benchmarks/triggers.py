"""How often an alarm is false, and how soon a real change is noticed: on real flights.

Days are drawn at random from one season and predicted by a model that was trained on other days of that season.
Nothing has changed, by construction, so every alarm is a false one. Then the drawn days are changed by growing
amounts. What decides is level 4's own code and policy.

Run: `make bench` writes docs/triggers.json and docs/triggers.png.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.progress import track

from level4_full.config.params import read_params
from level4_full.config.policy import Retraining, read_policy
from level4_full.data.features import CATEGORICAL, NUMERIC
from level4_full.monitoring.reference import Reference, out_of_range
from level4_full.monitoring.triggers import retraining_alarm
from level4_full.training.model import is_late, late_probability
from level4_full.training.train import train
from shared import base
from shared.base import ROOT, write_text
from shared.world.dataset import load_year

SEASONS = {"winter": (1, 2), "spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11)}
SPLITS, WEEKS, LONGEST = 12, 200, 28  # a season is split so often, for so many weeks, and waited for so many days
LATER = (0.0, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3)  # share of the punctual flights that become late
WARMER = (0.0, 5.0, 10.0, 15.0, 20.0, 30.0)  # °F


@dataclass(frozen=True)
class Days:
    """Days of a season that the model was not trained on: its bias, and the share of flights out of range."""

    bias: np.ndarray
    late: np.ndarray  # share of flights
    out_of_range_share: dict[float, np.ndarray]  # by how much warmer it is


def season(table: pd.DataFrame, random: np.random.Generator) -> Days:
    """Train on half of a season's days, drawn at random, and measure the other half."""
    names = table["day"].unique()
    trained_on = set(random.choice(names, len(names) // 2, replace=False))
    past, rest = table[table["day"].isin(trained_on)], table[~table["day"].isin(trained_on)]
    model = train(past, read_params().model.model_dump())
    training = Reference(
        last_day="",
        low=past[NUMERIC].quantile(0.001),
        high=past[NUMERIC].quantile(0.999),
        categories={name: frozenset(past[name]) for name in CATEGORICAL},
        largest_jumps=pd.Series(dtype=float),
        sample=past.head(0),
    )
    late = is_late(rest)
    off = pd.Series(late_probability(model, rest), rest.index) - late
    flights = {
        warmer: pd.Series(out_of_range(rest.assign(temp=rest["temp"] + warmer), training), rest.index)
        for warmer in WARMER
    }
    return Days(
        bias=off.groupby(rest["day"]).mean().to_numpy(),
        late=late.groupby(rest["day"]).mean().to_numpy(),
        out_of_range_share={
            warmer: flags.groupby(rest["day"]).mean().to_numpy() for warmer, flags in flights.items()
        },
    )


def cause(bias: np.ndarray, out_of_range: np.ndarray, policy: Retraining) -> str | None:
    """Return what the level would train for after these days."""
    alarm = retraining_alarm(pd.DataFrame({"bias": bias, "out_of_range_share": out_of_range}), 0, 0, False, policy)
    return alarm.cause if alarm else None


def shares(days: Days, random: np.random.Generator, later: float, warmer: float) -> dict[str, float]:
    """Return the share of changed weeks that alarm, and the median days to an alarm (28: none)."""
    policy = read_policy().retraining
    length = policy.performance.days
    bias, out_of_range = days.bias - later * (1 - days.late), days.out_of_range_share[warmer]
    weeks, waits = 0, []
    for _ in range(WEEKS):
        drawn = random.choice(len(bias), length, replace=False)
        weeks += cause(bias[drawn], out_of_range[drawn], policy) is not None
    for _ in range(WEEKS // 10):  # a calm week, then the change
        drawn = random.choice(len(bias), length + LONGEST)
        run = np.where(np.arange(len(drawn)) < length, days.bias[drawn], bias[drawn])
        seen = np.where(np.arange(len(drawn)) < length, days.out_of_range_share[0.0][drawn], out_of_range[drawn])
        alarms = (
            n for n in range(1, LONGEST) if cause(run[n : n + length], seen[n : n + length], policy) is not None
        )
        waits.append(next(alarms, LONGEST))
    return {"share": weeks / WEEKS, "days": float(np.median(waits))}


def measure() -> dict[str, Any]:
    """Return the shares by season, and by the size of a change."""
    year = load_year(base.WORKSPACES / "year")
    table = year.flights.reset_index().merge(year.outcomes, on="flight_id").dropna(subset="arrival_delay")
    month, random = table["scheduled_departure"].dt.month, np.random.default_rng(0)
    results: dict[str, Any] = {"false alarms": {}, "later": {}, "warmer": {}}
    kept = []
    for name, months in track(SEASONS.items(), "seasons"):
        splits = [season(table[month.isin(months)], random) for _ in range(SPLITS)]
        results["false alarms"][name] = float(np.mean([shares(days, random, 0, 0)["share"] for days in splits]))
        kept += splits
    for kind, sizes in {"later": LATER, "warmer": WARMER}.items():
        for size in track(sizes, kind):
            measured = [shares(days, random, *((size, 0.0) if kind == "later" else (0.0, size))) for days in kept]
            results[kind][str(size)] = {
                what: float(np.mean([shares_[what] for shares_ in measured])) for what in ("share", "days")
            }
    return results


def draw(results: dict[str, Any]) -> Figure:
    """Draw power and days to the alarm by the size of the change."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    labels = {"later": "punctual flights that become late", "warmer": "°F warmer"}
    for axes, kind in zip(figure.subplots(1, 2), ("later", "warmer"), strict=True):
        sizes = [float(size) for size in results[kind]]
        axes.plot(sizes, [row["share"] for row in results[kind].values()], marker="o", color="#4477aa")
        axes.set(xlabel=labels[kind], ylim=(-0.03, 1.03))
        axes.set_ylabel("share of weeks that alarm", color="#4477aa")
        axes.axhline(0.05, color="#bbbbbb", linewidth=1)
        beside = axes.twinx()
        beside.plot(sizes, [row["days"] for row in results[kind].values()], marker="s", color="#cc6677")
        beside.set(ylim=(0, LONGEST + 1))
        beside.set_ylabel("median days to the alarm (28: none)", color="#cc6677")
    return figure


def main() -> None:
    """Measure, and write both files."""
    results = measure()
    write_text(ROOT / "docs" / "triggers.json", json.dumps(results, indent=2) + "\n")
    draw(results).savefig(ROOT / "docs" / "triggers.png", dpi=110)
    print(json.dumps(results["false alarms"], indent=2))


if __name__ == "__main__":
    main()
