"""The daily run: everything that happens by itself, once a day."""

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout

from .config import paths
from .data.collect import collect, gone
from .data.published import BadFileError
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
    return [collect_files()]


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
