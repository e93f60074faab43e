"""Play more days in a stage that runs and whose play has ended, from another terminal; perhaps with trouble."""

from datetime import date, timedelta

from .. import base
from ..base import StageError
from ..console import console
from ..stack.stage import Stage, ticking
from ..world.dataset import load_year
from ..world.incidents import INCIDENTS, choose
from ..world.period import LAST_DAY, Window
from .live_view import Panel
from .play import alone, play_days, summarise


def go_on(stage: Stage, length: int, trouble: str = "none") -> None:
    """Play more days in a stage that is running and whose play has ended, with a clock of their own.

    Args:
        stage: running; started elsewhere.
        length: how many days.
        trouble: names of incidents that begin on the first of these days, such as `celsius`.

    Raises:
        StageError: nothing runs, a play has not ended, the year is over, a step failed, or there is no such
            incident in the feed.
    """
    incidents = choose(trouble)
    if beside := [each.id for each in incidents if each.mishap or each.natural]:
        kinds = ", ".join(each.id for each in INCIDENTS.values() if not (each.mishap or each.natural))
        raise StageError(f"{', '.join(beside)} cannot be planted in the feed of other days: choose among {kinds}")
    if not stage.is_ready():
        raise StageError(f"level {stage.number} does not answer: start it with `make level{stage.number}`")
    year = load_year(base.WORKSPACES / "world")
    with alone(stage), ticking(stage):
        window = days_after(stage, length)
        panel = Panel(console, window.length)
        moved = [each.starting(window.first) for each in incidents]
        for each in moved:
            panel.say(f"{window.first}: {each.story}")
        answers, _ = play_days(stage, year, window, panel, moved)
    summarise(stage, year, window, answers)


def days_after(stage: Stage, length: int) -> Window:
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
    return Window(last + timedelta(days=1), last + timedelta(days=length))
