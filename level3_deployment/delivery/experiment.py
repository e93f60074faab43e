"""The A/B test between champion and challenger, decided from answers and outcomes as they land.

The challenger answers its share of flight numbers; for each of these the log also has what the champion would
have said. The difference of their log losses, flight by flight, is what is tested: it needs far fewer flights than
two arms compared from outside, since both are judged on the very same ones.

A flight number keeps its arm, so flight numbers are what was drawn by lot, and their sums are what the spread is
taken over. The days are taken as they come: the verdict is about them, and a whole week of them is the least.

It is looked at every day, so the decision must stay valid however often it is looked at: an asymptotic confidence
sequence (Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas: "Time-uniform central limit theory and asymptotic
confidence sequences", Annals of Statistics 52(6), 2024, theorem 2.2).
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from ..serving.prediction_log import challenger_answers
from ..training.model import LATE_MINUTES

ALPHA = 0.05  # the chance that the sequence ever leaves out the true difference
FEWEST_FLIGHTS, FEWEST_DAYS = 1_000, 7
MOST_DAYS = 28
NARROWEST_AT = 2_000  # flights: where the sequence is tuned to be tight


@dataclass(frozen=True)
class State:
    """Where an experiment stands."""

    flights: int
    days: int
    difference: float  # log loss of the champion minus the challenger's: above 0 the challenger is better
    half_width: float
    verdict: str  # go on, promote, or withdraw

    def __str__(self) -> str:
        """Say it in words."""
        interval = f"{self.difference:+.4f} ± {self.half_width:.4f}" if self.flights else "nothing known yet"
        return f"{self.verdict} after {self.flights:,} flights in {self.days} days, challenger ahead by {interval}"


def half_width(flights: int, deviation: float) -> float:
    """Return half the width of the confidence sequence for a mean after `flights` flights of this deviation."""
    rho2 = (-2 * np.log(ALPHA) + np.log(-2 * np.log(ALPHA) + 1)) / NARROWEST_AT
    spread = flights * rho2 + 1
    return float(deviation * np.sqrt(2 * spread / (flights**2 * rho2) * np.log(np.sqrt(spread) / ALPHA)))


def deviation(differences: np.ndarray, numbers: np.ndarray) -> float:
    """Return the standard deviation of a flight's difference, taken over the sums of flight numbers."""
    sums = np.bincount(numbers, weights=differences - differences.mean())
    return float(np.sqrt((sums**2).sum() / len(differences)))


def judge(differences: np.ndarray, numbers: np.ndarray, days: int, age: int) -> State:
    """Decide from what is known so far.

    Args:
        differences: log loss of the champion minus the challenger's, flight by flight.
        numbers: each flight's number, as an integer from 0 on.
        days: over how many days these flights departed.
        age: how many days ago the first of the challenger's flights departed, whatever has landed since.
    """
    flights = len(differences)
    verdict = "withdraw" if age >= MOST_DAYS else "go on"  # without proof, the champion stays
    if flights == 0:
        return State(flights, days, 0.0, float("inf"), verdict)
    mean = float(differences.mean())
    half = half_width(flights, deviation(differences, numbers))
    if flights >= FEWEST_FLIGHTS and days >= FEWEST_DAYS and abs(mean) > half:
        verdict = "promote" if mean > 0 else "withdraw"
    return State(flights, days, mean, half, verdict)


def read(log: Path, outcomes: Path, experiment: str, today: date) -> tuple[np.ndarray, np.ndarray, int, int]:
    """Join the challenger's answers with the outcomes that have landed; return what `judge` takes.

    A flight counts once, with its last answer and its last outcome, however often either came.
    """
    answers = pd.DataFrame(map(dict, challenger_answers(log, experiment)))
    if answers.empty:
        return np.array([]), np.array([], dtype=int), 0, 0
    age = (today - date.fromisoformat(answers["scheduled_departure"].min()[:10])).days
    landed = pd.read_parquet(outcomes).dropna().drop_duplicates("flight_id", keep="last")
    joined = answers.merge(landed, on="flight_id")
    if joined.empty:
        return np.array([]), np.array([], dtype=int), 0, age
    departure = pd.to_datetime(joined["scheduled_departure"], format="ISO8601").dt.normalize()
    days = (departure.max() - departure.min()).days + 1
    late = (joined["arrival_delay"] >= LATE_MINUTES).to_numpy()
    champion, challenger = (loss(joined[f"{name}_probability"].to_numpy(), late) for name in ("champion", "late"))
    return champion - challenger, pd.factorize(joined["flight_number"])[0], days, age


def loss(probability: np.ndarray, late: np.ndarray) -> np.ndarray:
    """Return the log loss of each answer."""
    said = np.clip(probability, 1e-15, 1 - 1e-15)
    return np.asarray(-np.log(np.where(late, said, 1 - said)))
