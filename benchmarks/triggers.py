"""How often an alarm is false, and how soon a real change is noticed: on real flights.

Days are drawn at random from one season and answered by a model that learned from other days of that season.
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
from level4_full.config.policy import read_policy
from level4_full.data.features import CATEGORIES, MEASURES
from level4_full.monitoring.reference import Reference, beyond
from level4_full.monitoring.triggers import why_train
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
    """Days of a season that the model has not seen: what it is off by, and what share it has never seen."""

    bias: np.ndarray
    late: np.ndarray  # share of flights
    beyond: dict[float, np.ndarray]  # by how much warmer it is


def season(table: pd.DataFrame, random: np.random.Generator) -> Days:
    """Train on half of a season's days, drawn at random, and measure the other half."""
    names = table["day"].unique()
    learned = set(random.choice(names, len(names) // 2, replace=False))
    past, rest = table[table["day"].isin(learned)], table[~table["day"].isin(learned)]
    model = train(past, read_params()["model"])
    known = Reference(
        last_day="",
        low=past[MEASURES].quantile(0.001),
        high=past[MEASURES].quantile(0.999),
        known={name: frozenset(past[name]) for name in CATEGORIES},
        jumps=pd.Series(dtype=float),
        sample=past.head(0),
    )
    late = is_late(rest)
    off = pd.Series(late_probability(model, rest), rest.index) - late
    never = {
        warmer: pd.Series(beyond(rest.assign(temp=rest["temp"] + warmer), known), rest.index) for warmer in WARMER
    }
    return Days(
        bias=off.groupby(rest["day"]).mean().to_numpy(),
        late=late.groupby(rest["day"]).mean().to_numpy(),
        beyond={warmer: each.groupby(rest["day"]).mean().to_numpy() for warmer, each in never.items()},
    )


def cause(bias: np.ndarray, never: np.ndarray, policy: dict[str, Any]) -> str | None:
    """Return what the level would train for after these days."""
    reason = why_train(pd.DataFrame({"bias": bias, "beyond": never}), 0, 0, False, policy)
    return reason.cause if reason else None


def shares(days: Days, random: np.random.Generator, later: float, warmer: float) -> dict[str, float]:
    """Return the share of changed weeks that alarm, and the median days to an alarm (28: none)."""
    policy, length = read_policy()["retraining"], read_policy()["retraining"]["performance"]["days"]
    bias, never = days.bias - later * (1 - days.late), days.beyond[warmer]
    weeks, waits = 0, []
    for _ in range(WEEKS):
        drawn = random.choice(len(bias), length, replace=False)
        weeks += cause(bias[drawn], never[drawn], policy) is not None
    for _ in range(WEEKS // 10):  # a calm week, then the change
        drawn = random.choice(len(bias), length + LONGEST)
        run = np.where(np.arange(len(drawn)) < length, days.bias[drawn], bias[drawn])
        seen = np.where(np.arange(len(drawn)) < length, days.beyond[0.0][drawn], never[drawn])
        alarms = (
            n for n in range(1, LONGEST) if cause(run[n : n + length], seen[n : n + length], policy) is not None
        )
        waits.append(next(alarms, LONGEST))
    return {"share": weeks / WEEKS, "days": float(np.median(waits))}


def measure() -> dict[str, Any]:
    """Return the shares by season, and by the size of a change."""
    year = load_year(base.WORKSPACES / "world")
    table = year.flights.reset_index().merge(year.outcomes, on="flight_id").dropna(subset="arrival_delay")
    month, random = table["scheduled_departure"].dt.month, np.random.default_rng(0)
    found: dict[str, Any] = {"false alarms": {}, "later": {}, "warmer": {}}
    kept = []
    for name, months in track(SEASONS.items(), "seasons"):
        splits = [season(table[month.isin(months)], random) for _ in range(SPLITS)]
        found["false alarms"][name] = float(np.mean([shares(each, random, 0, 0)["share"] for each in splits]))
        kept += splits
    for kind, sizes in {"later": LATER, "warmer": WARMER}.items():
        for size in track(sizes, kind):
            each = [shares(days, random, *((size, 0.0) if kind == "later" else (0.0, size))) for days in kept]
            found[kind][str(size)] = {
                what: float(np.mean([one[what] for one in each])) for what in ("share", "days")
            }
    return found


def draw(found: dict[str, Any]) -> Figure:
    """Draw power and days to the alarm by the size of the change."""
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    labels = {"later": "punctual flights that become late", "warmer": "°F warmer"}
    for axes, kind in zip(figure.subplots(1, 2), ("later", "warmer"), strict=True):
        sizes = [float(size) for size in found[kind]]
        axes.plot(sizes, [each["share"] for each in found[kind].values()], marker="o", color="#4477aa")
        axes.set(xlabel=labels[kind], ylim=(-0.03, 1.03))
        axes.set_ylabel("share of weeks that alarm", color="#4477aa")
        axes.axhline(0.05, color="#bbbbbb", linewidth=1)
        beside = axes.twinx()
        beside.plot(sizes, [each["days"] for each in found[kind].values()], marker="s", color="#cc6677")
        beside.set(ylim=(0, LONGEST + 1))
        beside.set_ylabel("median days to the alarm (28: none)", color="#cc6677")
    return figure


def main() -> None:
    """Measure, and write both files."""
    found = measure()
    write_text(ROOT / "docs" / "triggers.json", json.dumps(found, indent=2) + "\n")
    draw(found).savefig(ROOT / "docs" / "triggers.png", dpi=110)
    print(json.dumps(found["false alarms"], indent=2))


if __name__ == "__main__":
    main()
