"""What happens by itself, once a day."""

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout

from .config import paths
from .data.collect import collect


def tick(day: str) -> str:
    """Do everything that happens by itself on `day` (`2013-03-01`); return in words what was done."""
    return f"{day}: collected {len(collect(paths.DROP, paths.DATA))} files"


def ticks(days: Iterable[str]) -> None:
    """Tick once per line and answer each with one line, so that a clock can drive one long-lived process."""
    for day in map(str.strip, days):
        try:
            with redirect_stdout(sys.stderr):  # libraries talk too, and the answer is one line
                answer = tick(day)
        except Exception as error:  # the next day comes, whatever happened on this one
            answer = f"{day}: failed, {type(error).__name__}: {error}"
        print(" ".join(answer.split()), flush=True)
