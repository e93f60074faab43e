"""Play more days in a stage that is running, from another terminal; perhaps with incidents in the feed."""

from datetime import date, timedelta

from .. import base
from ..base import StageError
from ..console import console
from ..stack.stage import Stage, running_days
from ..world.dataset import load_year
from ..world.incidents import MOVABLE, choose
from ..world.period import LAST_DAY, Period
from .live_view import LiveView
from .play import alone, play_days, summarise


def play_more(stage: Stage, length: int, names: str = "none") -> None:
    """Play more days in a stage that is running and in which nobody else plays any, with a clock of their own.

    Args:
        stage: running; started elsewhere.
        length: how many days.
        names: of incidents that begin on the first of these days, such as `celsius`.

    Raises:
        StageError: nothing runs, days are being played, the year is over, a step failed, or no such
            incident can happen in the feed of other days.
    """
    incidents = choose(names, MOVABLE)
    if not stage.is_ready():
        raise StageError(f"level {stage.number} does not answer: start it with `make level{stage.number}`")
    year = load_year(base.WORKSPACES / "year")
    with alone(stage), running_days(stage):
        period = days_after(stage, length)
        live_view = LiveView(console, period.length)
        moved = [incident.starting(period.first) for incident in incidents]
        for incident in moved:
            live_view.say(f"{period.first}: {incident.story}")
        answers, _ = play_days(stage, year, period, live_view, moved)
    summarise(stage, year, period, answers)


def days_after(stage: Stage, length: int) -> Period:
    """Return the days after the last one that was played."""
    try:
        last = date.fromisoformat((stage.workspace / "last_day").read_text())
    except OSError as error:
        raise StageError("no day has been played in this stage yet") from error
    left = (LAST_DAY - last).days
    if not 1 <= length <= left:
        raise StageError(
            f"{length} days after {last} do not fit: choose DAYS from 1 to {left}, the year ends then"
        )
    return Period(last + timedelta(days=1), last + timedelta(days=length))
