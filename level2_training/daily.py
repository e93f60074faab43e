"""What happens by itself, once a day."""

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from datetime import date

from .config import paths
from .data.collect import collect


def tick(day: str) -> str:
    """Do everything that happens by itself on `day` (`2013-03-01`); return in words what was done."""
    done = f"{day}: collected {len(collect(paths.DROP, paths.DATA))} files"
    if is_training_day(date.fromisoformat(day)):
        from .training.pipeline import start_training  # most days do without these seconds of imports

        done += f", trained version {start_training('schedule')}"
    return done


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
