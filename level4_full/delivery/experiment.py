"""The A/B test between champion and challenger, decided from answers and outcomes as they land.

The challenger serves its share of flight numbers; for each of these the log also holds what the champion would
have predicted. The test is on the paired difference of their log losses, flight by flight: it needs far fewer
flights than a comparison of two arms with different flights.

A flight number keeps its arm, so flight numbers are the unit of randomization, and the variance is that of their
sums. The days are taken as given: the verdict is about them, and it takes at least a week of them.

The experiment is reviewed every day, so the decision must stay valid under continuous monitoring: an asymptotic
confidence sequence (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: "Time-uniform central limit theory and
asymptotic confidence sequences", Annals of Statistics 52(6), 2024, theorem 2.2).
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd

from ..serving.prediction_log import challenger_predictions
from ..training.evaluate import log_losses
from ..training.model import LATE_MINUTES

ALPHA = 0.05  # the probability that the sequence ever excludes the true difference
MIN_FLIGHTS, MIN_DAYS = 1_000, 7
MAX_DAYS = 28
TUNED_FOR = 2_000  # flights: where the sequence is narrowest


class Verdict(StrEnum):
    """What to do with the challenger."""

    CONTINUE = "continue"
    PROMOTE = "promote"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class Standing:
    """Where an experiment stands."""

    flights: int
    days: int
    difference: float  # log loss of the champion minus the challenger's: above 0 the challenger is better
    half_width: float | None  # None before an outcome has landed
    verdict: Verdict

    def __str__(self) -> str:
        """Return the standing in words."""
        interval = f"{self.difference:+.4f} ± {self.half_width:.4f}" if self.half_width else "not known yet"
        return f"{self.verdict} after {self.flights:,} flights in {self.days} days, challenger ahead by {interval}"


def half_width(flights: int, deviation: float) -> float:
    """Return half the width of the confidence sequence for a mean after `flights` flights of this deviation."""
    rho2 = (-2 * np.log(ALPHA) + np.log(-2 * np.log(ALPHA) + 1)) / TUNED_FOR
    spread = flights * rho2 + 1
    return float(deviation * np.sqrt(2 * spread / (flights**2 * rho2) * np.log(np.sqrt(spread) / ALPHA)))


def deviation(differences: np.ndarray, flight_numbers: np.ndarray) -> float:
    """Return the standard deviation of a flight's difference, clustered by flight number."""
    sums = np.bincount(flight_numbers, weights=differences - differences.mean())
    return float(np.sqrt((sums**2).sum() / len(differences)))


def judge(differences: np.ndarray, flight_numbers: np.ndarray, days: int, age: int) -> Standing:
    """Decide from the outcomes that have landed so far.

    Args:
        differences: log loss of the champion minus the challenger's, flight by flight.
        flight_numbers: the number of each flight, as an integer from 0 on.
        days: over how many days these flights departed.
        age: how many days ago the first of the challenger's flights departed, landed or not.
    """
    flights = len(differences)
    verdict = Verdict.WITHDRAW if age >= MAX_DAYS else Verdict.CONTINUE  # without proof, the champion stays
    if flights == 0:
        return Standing(flights, days, 0.0, None, verdict)
    mean = float(differences.mean())
    half = half_width(flights, deviation(differences, flight_numbers))
    if flights >= MIN_FLIGHTS and days >= MIN_DAYS and abs(mean) > half:
        verdict = Verdict.PROMOTE if mean > 0 else Verdict.WITHDRAW
    return Standing(flights, days, mean, half, verdict)


def read(log: Path, outcomes: Path, experiment: str, today: date) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Join the challenger's predictions with the outcomes that have landed; return the arguments of `judge`.

    A flight counts once, with its last prediction and its last outcome.
    """
    rows, nothing = challenger_predictions(log, experiment), (np.array([]), np.array([], dtype=int), 0)
    if not rows:
        return *nothing, 0
    predictions = pd.DataFrame(rows, columns=rows[0].keys())
    first = predictions["scheduled_departure"].min()[:10]
    age = (today - date.fromisoformat(first)).days
    files = sorted(path for path in outcomes.glob("*.parquet") if path.stem >= first)  # and not all of the year
    if not files:
        return *nothing, age
    landed = pd.concat(map(pd.read_parquet, files)).dropna().drop_duplicates("flight_id", keep="last")
    joined = predictions.merge(landed, on="flight_id")
    if joined.empty:
        return *nothing, age
    departure = pd.to_datetime(joined["scheduled_departure"], format="ISO8601").dt.normalize()
    days = (departure.max() - departure.min()).days + 1
    late = (joined["arrival_delay"] >= LATE_MINUTES).to_numpy()
    champion, challenger = (
        log_losses(joined[f"{name}_probability"].to_numpy(), late) for name in ("champion", "late")
    )
    return champion - challenger, pd.factorize(joined["flight_number"])[0], days, age
