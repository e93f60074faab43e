"""The daily run: everything that happens by itself, once a day."""

import sys
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from datetime import date

from .config import paths
from .data.collect import collect, gone
from .data.published import BadFileError
from .errors import RefusedError
from .events import Event, Kind, as_line


def run_days(days: Iterable[str]) -> None:
    """Run each day that comes in, and print its events as one line, so that one process can serve a whole year."""
    for day in map(str.strip, days):
        try:
            with redirect_stdout(sys.stderr):  # libraries print too
                events = run_day(day)
        except Exception as error:  # the next day comes all the same
            events = [Event(Kind.FAILED, f"the daily run failed, {type(error).__name__}: {error}")]
        print(as_line(day, events), flush=True)


def run_day(day: str) -> list[Event]:
    """Do everything that happens by itself on `day` (`2013-03-01`)."""
    return [collect_files(), *run_job(train_by_schedule, date.fromisoformat(day))]


def run_job(job: Callable[[date], list[Event]], day: date) -> list[Event]:
    """Run one job of a day; that it fails is reported, and keeps no other job from running."""
    try:
        return job(day)
    except RefusedError as error:
        return [Event(Kind.REFUSED, str(error))]
    except Exception as error:
        return [Event(Kind.FAILED, f"{job.__name__} failed, {type(error).__name__}: {error}")]


def collect_files() -> Event:
    """Collect what the upstream has published."""
    try:
        files = collect(paths.DROP, paths.DATA)
    except BadFileError as error:  # all other files have been collected
        return Event(Kind.FAILED, str(error))
    text, missing = f"collected {len(files)} files", gone(paths.DROP, paths.DATA)
    if missing:
        text += f"; kept, though no longer published: {', '.join(missing)}"
    return Event(Kind.COLLECTED, text, {"files": len(files)})


def train_by_schedule(day: date) -> list[Event]:
    """Train on the first Monday of a month."""
    if not is_training_day(day):
        return []
    from .training.pipeline import start_training  # seconds of imports, and most days need none

    version = start_training("schedule")
    return [Event(Kind.TRAINED, f"trained version {version}", {"version": version})]


def is_training_day(day: date) -> bool:
    """Tell whether the schedule has a training on this day: the first Monday of a month."""
    return day.weekday() == 0 and day.day <= 7
