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
from .operations.files import at_hand
from .operations.readiness import wait_for_servers


def run_days(days: Iterable[str]) -> None:
    """Run each day that comes in, and print its events as one line, so that one process can serve a whole year."""
    for day in map(str.strip, days):
        try:
            with redirect_stdout(sys.stderr), at_hand():  # libraries print too
                events = run_day(day)
        except Exception as error:  # the next day comes all the same
            events = [Event(Kind.FAILED, f"the daily run failed, {type(error).__name__}: {error}")]
        print(as_line(day, events), flush=True)


def run_day(day: str) -> list[Event]:
    """Do everything that happens by itself on `day` (`2013-03-01`)."""
    events = [collect_files()]
    wait_for_servers()  # a client that finds none tries again after ever longer pauses
    for job in (review, finish_delivery, check_production):
        events += run_job(job, date.fromisoformat(day))
    return events


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


def review(day: date) -> list[Event]:
    """Review challenger and champion, and do what is to be done about them."""
    from .delivery.review import review_challenger, review_champion  # seconds of imports

    return review_challenger(day) + review_champion(day)


def finish_delivery(_day: date) -> list[Event]:
    """Go on with deliveries that were interrupted."""
    from .registry import history

    if not history.undelivered():
        return []
    from .delivery.pipeline import finish  # seconds of imports, and most days need none

    return finish()


def check_production(day: date) -> list[Event]:
    """Measure yesterday's production, and do what the policy says; the schedule is one trigger among others."""
    if paths.FILES:
        from .monitoring.pool import ask_for_check

        return ask_for_check(day.isoformat())
    from .monitoring.daily_check import check

    return check(day.isoformat())
