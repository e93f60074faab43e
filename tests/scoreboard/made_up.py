"""Simulations that are made up, so that the right figures are known."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from shared.scoreboard.result import Result
from shared.simulation.event_log import EventLog

FIRST, DAYS, FLIGHTS = date(2013, 6, 1), 30, 100


def day(n: int) -> str:
    return str(FIRST + timedelta(days=n))


def simulated(path: Path, **models: float) -> Result:
    """Return a month that the model m/1 answers with 0.2; others say what is given. Every fifth flight is late.

    On every other day there is one late flight more, so that days differ.
    """
    event_log = EventLog(path)
    event_log.write(day(0), "scenario", level=1)
    event_log.write(day(0), "training", by="manual", registered=True, name="m/1")
    event_log.write(day(0), "deployment", kind="model", name="m/1", share=1.0, by="people")
    days = np.repeat([day(n) for n in range(DAYS)], FLIGHTS)
    number = np.tile(np.arange(FLIGHTS), DAYS)
    odd = np.repeat(np.arange(DAYS) % 2 == 1, FLIGHTS)
    late = ((number % 5 == 0) | (odd & (number == 1))).astype(float)
    names = [f"f{n}" for n in range(len(days))]
    flights = pd.DataFrame(
        {"day": days, "late": late, "answer": 0.2, "model": "m/1", "intercept": 0.0}, index=names
    )
    replayed = pd.DataFrame({"m/1": 0.2} | {name.replace("_", "/"): p for name, p in models.items()}, index=names)
    return Result.of(event_log, flights, replayed)


def release(result: Result, trained: int, released: int, name: str) -> Result:
    """Let a model of the replay be trained, and answer from another day on."""
    result.event_log.write(day(trained), "training", by="schedule", registered=True, name=name)
    result.event_log.write(day(released), "deployment", kind="model", name=name, share=1.0, by="people")
    since = result.flights["day"] >= day(released)
    model = result.flights["model"].mask(since, name)
    answer = result.flights["answer"].mask(since, result.replayed[name])
    return Result.of(result.event_log, result.flights.assign(model=model, answer=answer), result.replayed)


def spoil(result: Result, first: int, last: int, answer: float) -> Result:
    """Let the answers of some days be others than the models give for the real input; NaN: none at all."""
    inside = result.flights["day"].between(day(first), day(last))
    answers = result.flights["answer"].mask(inside, answer)
    model = result.flights["model"].where(answers.notna())
    return Result.of(result.event_log, result.flights.assign(answer=answers, model=model), result.replayed)
