"""What happens by itself, once a day."""

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from datetime import date

from .config import paths
from .data.collect import BadFileError, collect
from .errors import RefusedError
from .operations.readiness import wait_for_servers


def tick(day: str) -> str:
    """Do everything that happens by itself on `day` (`2013-03-01`); return in words what was done."""
    try:
        done = [f"{day}: collected {len(collect(paths.DROP, paths.DATA))} files"]
    except BadFileError as error:  # what can be read has been collected
        done = [f"{day}: failed in part, {error}"]
    wait_for_servers()  # a client that finds none tries again after ever longer pauses
    for job in (review_experiment, finish_delivery, watch_production):
        try:
            done.append(job(date.fromisoformat(day)))
        except RefusedError as error:  # a verdict
            done.append(str(error))
        except Exception as error:  # one job's trouble is no reason to leave out the rest
            done.append(f"{job.__name__} failed, {type(error).__name__}: {error}")
    return "; ".join(filter(None, done))


def finish_delivery(_day: date) -> str:
    """Go on with a delivery that was killed."""
    from .registry import history

    if not history.undelivered():
        return ""
    from .delivery.pipeline import finish  # most days do without these seconds of imports

    return finish()


def watch_production(day: date) -> str:
    """Measure what production did, and do what the policy says; the schedule is one cause among others."""
    from .monitoring.daily_check import watch

    return watch(day.isoformat(), is_training_day(day))


def review_experiment(day: date) -> str:
    """Look at the running experiment, if there is one, and do what its verdict says."""
    from .delivery import experiment, promotion
    from .registry import models

    if models.champion() is None or models.version_of(promotion.CHALLENGER) is None:
        return ""
    name = models.tags()["experiment"]
    state = experiment.judge(*experiment.read(paths.PREDICTION_LOG, paths.DATA / "outcomes", name, day))
    if state.verdict == "promote":
        return promotion.promote(str(state))
    if state.verdict == "withdraw":
        return promotion.withdraw(str(state))
    return str(state)


def is_training_day(day: date) -> bool:
    """Tell whether the schedule has a training on this day: the first Monday of a month."""
    return day.weekday() == 0 and day.day <= 7


def ticks(days: Iterable[str]) -> None:
    """Tick once per line and answer each with one line, so that a clock can drive one long-lived process."""
    for day in map(str.strip, days):
        try:
            with redirect_stdout(sys.stderr):  # libraries talk too, and the answer is one line
                answer = tick(day)
        except Exception as error:  # the next day comes, whatever happened on this one
            answer = f"{day}: failed, {type(error).__name__}: {error}"
        print(" ".join(answer.split()), flush=True)
