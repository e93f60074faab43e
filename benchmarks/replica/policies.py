"""The policies of a year: what each level does about its model, day by day, and the yardsticks beside them.

A policy is a generator. For each day it yields what it answers for the flights of that day; it may look at every
flight before, and at none after.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import numpy as np

from level4_full.daily import is_training_day
from level4_full.training.evaluate import NotBetterError, check_beats
from shared.simulation.operator_model import read_assumptions, working_days_after
from shared.world.period import LIVE

from .year import Model, Year

Policy = Callable[[Year], Iterator[np.ndarray]]


def once(year: Year) -> Iterator[np.ndarray]:
    """Train before the first day, and never again."""
    model = year.model(LIVE)
    for day in year.live:
        yield model.probability[year.on(day)]


def monthly(year: Year) -> Iterator[np.ndarray]:
    """Train on all days before the first Monday of each month, and release at once."""
    model = year.model(LIVE)
    for day in year.live:
        if is_training_day(day):
            model = year.model(day)
        yield model.probability[year.on(day)]


def weekly(year: Year) -> Iterator[np.ndarray]:
    """Train on all days before every Monday, and release at once."""
    model = year.model(LIVE)
    for day in year.live:
        if day.weekday() == 0:
            model = year.model(day)
        yield model.probability[year.on(day)]


def level2(year: Year) -> Iterator[np.ndarray]:
    """Train on the first Monday of each month; people release the candidate, or train again if it is refused."""
    act = read_assumptions()["act"]
    held_out = timedelta(days=7)
    champion, waiting = year.model(LIVE - held_out), None
    release_on = retry_on = LIVE
    for day in year.live:
        if is_training_day(day) or retry_on == day > LIVE:
            candidate = year.model(day - held_out)
            by_people = retry_on == day
            if not beats_baselines(year, candidate, day - held_out):
                notice = 0 if by_people else 1
                retry_on = working_days_after(working_days_after(day, notice), act["alarm"]["days"])
            elif by_people:
                champion = candidate
            else:
                waiting, release_on = candidate, working_days_after(day, act["candidate waits"]["days"])
        if waiting and day == release_on:
            champion, waiting = waiting, None
        yield champion.probability[year.on(day)]


def beats_baselines(year: Year, candidate: Model, before: date) -> bool:
    """Tell whether a candidate is registered: on the seven days after its training data, no baseline is better."""
    held_out = year.between(before, before + timedelta(days=7))
    excess = {model.name: year.excess(candidate, model, held_out) for model in year.baselines(before)}
    try:
        check_beats(excess, list(excess))
    except NotBetterError:
        return False
    return True
