"""How often the A/B test and the rollback are wrong when nothing differs, and whether they see a bad model.

Nothing differs, by construction, between two models that are told apart by a coin. What matters is what the coin
is tossed for: every flight number (as if flight numbers were what varies), every day, or every block of seven
days, since days resemble each other. Harder still are two models of one recipe that differ in the seed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track

from level3_deployment.config.params import read_params
from level3_deployment.delivery.experiment import CONFIDENCE
from level3_deployment.delivery.review import MIN_DAYS, SHADOW_DAYS, must_go_back
from level3_deployment.training.paired import Difference, paired_difference
from shared.world.bad_models import all_labels_flipped
from shared.world.period import LAST_DAY, LIVE

from .gates import FOUR_WEEKS
from .year import Model, Year

SAMPLES = 600
BLOCK = 7  # days
SEEDS = (1, 2)  # beside the usual one
COINS = ("flight number", "day", "block of 7 days", "two seeds")


@dataclass(frozen=True)
class Pair:
    """Two models, and the days on which they are compared."""

    first: date
    one: Model
    other: Model


def real_pairs(year: Year) -> list[Pair]:
    """Return the models of every Monday, each with the one of four weeks before."""
    return [Pair(day, year.model(day), year.model(day - FOUR_WEEKS)) for day in _mondays(year)]


def seed_pairs(year: Year) -> list[Pair]:
    """Return the models of every first Monday, each with others of the same data and another seed."""
    return [Pair(day, year.model(day, seed=seed), year.model(day)) for day in with_seeds(year) for seed in SEEDS]


def with_seeds(year: Year) -> list[date]:
    """Return the days whose model is trained with other seeds too: the first Monday of each month."""
    return [day for day in _mondays(year) if day.day <= 7]


def with_bad_champions(year: Year) -> list[date]:
    """Return the days on which a model of flipped labels becomes champion."""
    return _mondays(year)[::3]


def _mondays(year: Year) -> list[date]:
    first, last = LIVE + FOUR_WEEKS, LAST_DAY - FOUR_WEEKS
    return [day for day in year.live if day.weekday() == 0 and first <= day <= last]


def draws(
    year: Year, coin: str, days: int, random: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield excess losses between two equal arms, flight by flight, and the day of each flight from 0 on."""
    numbers = pd.factorize(year.table["carrier"] + year.table["flight"].astype(str))[0]
    pairs = seed_pairs(year) if coin == "two seeds" else real_pairs(year)
    for _ in range(SAMPLES):
        pair = pairs[random.integers(len(pairs))]
        first = pair.first + timedelta(days=int(random.integers(FOUR_WEEKS.days - days + 1)))
        where = year.between(first, first + timedelta(days=days))
        day = year.day[where] - year.day[where][0]
        tossed_for = {
            "flight number": numbers[where],
            "day": day,
            "block of 7 days": (day + random.integers(BLOCK)) // BLOCK,
            "two seeds": np.zeros_like(day),
        }[coin]
        signs = random.choice([-1.0, 1.0], tossed_for.max() + 1)
        yield signs[tossed_for] * (year.losses(pair.one, where) - year.losses(pair.other, where)), day


def goes_back_on(excess: np.ndarray, day: np.ndarray) -> int | None:
    """Return after how many days a champion with these excess losses would be rolled back; None: never."""
    looks = (n for n in range(MIN_DAYS, SHADOW_DAYS + 1) if must_go_back(_until(excess, day, n)))
    return next(looks, None)


def _until(excess: np.ndarray, day: np.ndarray, days: int) -> Difference:
    return paired_difference(excess[day < days], day[day < days])


def measure(year: Year) -> dict[str, Any]:
    """Return the share of wrong verdicts by null, and after how many days a bad champion goes back."""
    days, rows = read_params().experiment.days, {}
    for coin in track(COINS, "equal arms"):
        random = np.random.default_rng(0)
        ended = [paired_difference(*drawn) for drawn in draws(year, coin, days, random)]
        back = [goes_back_on(*drawn) is not None for drawn in draws(year, coin, SHADOW_DAYS, random)]
        rows[coin] = {
            "surely worse": float(np.mean([excess.lower(CONFIDENCE) > 0 for excess in ended])),
            "surely better": float(np.mean([excess.upper(CONFIDENCE) < 0 for excess in ended])),
            "rolled back": float(np.mean(back)),
        }
    return {"days": days, "nulls": rows, "bad champions": bad_champions(year)}


def bad_champions(year: Year) -> dict[str, Any]:
    """Return how many models of flipped labels go back to their predecessor, and after how many days."""
    waits = []
    for day in with_bad_champions(year):
        where = year.between(day, day + timedelta(days=SHADOW_DAYS))
        bad, good = (year.losses(year.model(day, change), where) for change in (all_labels_flipped, None))
        waits.append(goes_back_on(bad - good, year.day[where] - year.day[where][0]))
    found = [wait for wait in waits if wait is not None]
    return {"models": len(waits), "rolled back": len(found), "median days": float(np.median(found))}
