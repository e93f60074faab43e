"""How often the A/B test is wrong, and how fast it is right: on real flights, looked at every day.

Run: `make bench` writes docs/experiment.json and docs/experiment.png.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from rich.progress import track

from level3_deployment.config.params import read_params
from level3_deployment.delivery.experiment import MAX_DAYS, Verdict, judge
from level3_deployment.delivery.model_gates import losses
from level3_deployment.training.model import is_late
from level3_deployment.training.train import train
from shared import base
from shared.base import ROOT, write_text
from shared.world.dataset import load_year

EXPERIMENTS, DAYS, SHARE = 1_000, 60, 0.2
SIZES = [0.0, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0]  # of the real difference between the two models
POWER_EXPERIMENTS, POWER_DAYS = 200, 28


def decide(differences: np.ndarray, day: np.ndarray, number: np.ndarray, days: int) -> tuple[Verdict, int]:
    """Look at an experiment at the end of every day; return its verdict and the day it came."""
    ends = np.searchsorted(day, np.arange(days), side="right")
    for n, end in enumerate(ends, start=1):
        # Never the last day allowed: this is about the evidence, not about running out of time.
        verdict = judge(differences[:end], number[:end], n, min(n, MAX_DAYS - 1)).verdict
        if verdict is not Verdict.CONTINUE:
            return verdict, n
    return Verdict.CONTINUE, days


class Flights:
    """Real flights with the losses of two models, and a way to draw who answers which flight number."""

    def __init__(self) -> None:
        year = load_year(base.WORKSPACES / "year")
        table = year.flights.reset_index().merge(year.outcomes, on="flight_id").dropna(subset="arrival_delay")
        params = read_params().model.model_dump()
        self.old = train(table[table["day"] < "2013-03-01"], params)
        self.new = train(table[table["day"] < "2013-07-01"], params)
        table = table[table["day"] >= "2013-07-01"].reset_index(drop=True)
        self.late = is_late(table)
        self.difference = losses(self.old, table) - losses(self.new, table)
        self.number = pd.factorize(table["carrier"] + table["flight"].astype(str))[0]
        self.day = pd.factorize(table["day"])[0]

    def draw(
        self, random: np.random.Generator, first: int, days: int
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return differences, days and flight numbers of the challenger's share of a window."""
        challenger = random.random(self.number.max() + 1) < SHARE
        here = challenger[self.number] & (self.day >= first) & (self.day < first + days)
        return self.difference[here], self.day[here] - first, self.number[here]


def equal_arms(flights: Flights) -> Counter[Verdict]:
    """Let two arms that are equal compete: each flight number's challenger is the old or the new model by a coin.

    Two arms that hold the very same model never differ, so that nothing could ever be decided: this is harder.
    """
    verdicts: Counter[Verdict] = Counter()
    for seed in track(range(EXPERIMENTS), "equal arms"):
        random = np.random.default_rng(seed)
        first = int(random.integers(0, flights.day.max() - DAYS))
        difference, day, number = flights.draw(random, first, DAYS)
        coin = random.choice([-1.0, 1.0], number.max() + 1)
        verdicts[decide(difference * coin[number], day, number, DAYS)[0]] += 1
    return verdicts


def first_of_july(flights: Flights, sign: float) -> list[tuple[Verdict, int]]:
    """Let the new model challenge the old one from 1 July (sign 1), or the old one the new (sign -1)."""
    verdicts = []
    for seed in range(100):
        difference, day, number = flights.draw(np.random.default_rng(seed), 0, DAYS)
        verdicts.append(decide(sign * difference, day, number, DAYS))
    return verdicts


def spread(verdicts: list[tuple[Verdict, int]]) -> list[float]:
    """Return the fewest, the median and the most days to a verdict."""
    days = [n for _, n in verdicts]
    return [min(days), float(np.median(days)), max(days)]


def power(flights: Flights) -> list[dict[str, Any]]:
    """Give one of two equal arms a part of July's real difference; see how often that is found in four weeks."""
    rows, real = [], float(flights.difference[flights.day < 31].mean())
    for size in track(SIZES, "power"):
        verdicts = []
        for seed in range(POWER_EXPERIMENTS):
            random = np.random.default_rng(seed)
            first = int(random.integers(0, flights.day.max() - POWER_DAYS))
            difference, day, number = flights.draw(random, first, POWER_DAYS)
            noise = difference * random.choice([-1.0, 1.0], number.max() + 1)[number]
            verdicts.append(decide(noise + size * real, day, number, POWER_DAYS))
        promoted = [n for verdict, n in verdicts if verdict is Verdict.PROMOTE]
        rows.append(
            {
                "difference": size * real,
                "promoted": len(promoted) / len(verdicts),
                "withdrawn": sum(verdict is Verdict.WITHDRAW for verdict, _ in verdicts) / len(verdicts),
                "median_days": float(np.median(promoted)) if promoted else None,
            }
        )
    return rows


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Draw the power of the test."""
    figure = Figure(figsize=(7, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    size = [row["difference"] for row in rows]
    left.plot(size, [100 * row["promoted"] for row in rows], "o-", color="#4477aa", label="promoted")
    left.plot(size, [100 * row["withdrawn"] for row in rows], "o-", color="#cc6677", label="withdrawn")
    left.set(xlabel="true difference in log loss", ylabel="% of experiments", title="Within four weeks")
    left.legend()
    right.plot(size, [row["median_days"] for row in rows], "o-", color="#4477aa")
    right.set(
        xlabel="true difference in log loss", ylabel="days", title="Median days to promotion", ylim=(0, None)
    )
    figure.savefig(path)


def main() -> None:
    """Measure and write down."""
    flights = Flights()
    verdicts = equal_arms(flights)
    forward, backward = (first_of_july(flights, sign) for sign in (1.0, -1.0))
    rows = power(flights)
    results = {
        "equal_arms": {
            "experiments": EXPERIMENTS,
            "days": DAYS,
            "decided": 1 - verdicts[Verdict.CONTINUE] / EXPERIMENTS,
        },
        "new_against_old": {
            "promoted": sum(verdict is Verdict.PROMOTE for verdict, _ in forward) / len(forward),
            "days": spread(forward),
        },
        "old_against_new": {
            "withdrawn": sum(verdict is Verdict.WITHDRAW for verdict, _ in backward) / len(backward),
            "days": spread(backward),
        },
        "power": rows,
    }
    write_text(ROOT / "docs" / "experiment.json", json.dumps(results, indent=1) + "\n")
    draw(rows, ROOT / "docs" / "experiment.png")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
