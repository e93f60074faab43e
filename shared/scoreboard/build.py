"""The same year at every level: play what is not played yet, and write docs/scoreboard.json, .md and the pictures.

Each level's year is played four times: with incidents and without, with people and with nobody after the first
model. Finished plays are kept in .stage/replay and used again, as long as neither the level nor the world changed.
"""

import json
from pathlib import Path
from typing import Any

from .. import base
from ..base import ROOT, StageError, git, levels, write_text
from ..console import console
from ..simulation.operator_model import read_assumptions
from ..simulation.run import replay
from ..simulation.scenario import NOBODY, USUAL, Play, is_finished
from ..stack.stage import Stage
from ..world.dataset import Year, load_year
from ..world.incidents import INCIDENTS, SEED, Incident
from ..world.period import LAST_DAY, LIVE, Window
from . import cost, impact, metrics
from .dora import dora
from .result import Played

YEAR = Window(LIVE, LAST_DAY)
DOCS = ROOT / "docs"

Board = dict[str, Any]


def plays(level: int, window: Window, people: str) -> tuple[Play, Play]:
    """Return the two plays of a level that belong together: with incidents, and the calm year."""
    fits = tuple(each for each in INCIDENTS.values() if each.first <= window.last and window.first <= each.last)
    return Play(level, window, fits, people), Play(level, window, (), people)


def play_all(window: Window, numbers: list[int]) -> None:
    """Play whatever of these levels is not played yet."""
    for number in numbers:
        for people in (USUAL, NOBODY):
            for play in plays(number, window, people):
                if not is_finished(play):
                    kind = "with incidents" if play.incidents else "calm"
                    console.print(f"[bold]{Stage(number).package}[/], {kind}, people: {people}")
                    replay(play)


def assemble(window: Window, numbers: list[int]) -> Board:
    """Return the scoreboard of the levels whose plays are finished.

    Raises:
        StageError: no level has all its plays.
    """
    year = load_year(base.WORKSPACES / "world")
    board: Board = {"levels": {}}
    for number in numbers:
        if all(is_finished(play) for play in plays(number, window, USUAL)):
            board["levels"][str(number)] = of_level(number, window, year)
    if not board["levels"]:
        raise StageError("no level's year is played to its end: run `make scoreboard`")
    return board | {
        "assumptions": read_assumptions(),
        "incidents": {each.id: _described(each) for each in INCIDENTS.values()},
        "window": [str(window.first), str(window.last)],
        "seed": SEED,
        "commit": git(ROOT, "log", "-1", "--format=%h", "--abbrev=12", "--", "shared", "level[0-9]_*").strip(),
    }


def of_level(number: int, window: Window, year: Year) -> Board:
    """Return everything about one level: with people, and with nobody where that is played too."""
    board = of_plays(number, window, year, USUAL)
    if all(is_finished(play) for play in plays(number, window, NOBODY)):
        board["nobody"] = of_plays(number, window, year, NOBODY)
    folder = plays(number, window, USUAL)[1].folder()
    board["cost"] = cost.lines(number) | cost.packages(number) | {"measured": cost.measured(folder)}
    return board


def of_plays(number: int, window: Window, year: Year, people: str) -> Board:
    """Return the figures of the two plays of a level that belong together."""
    troubled, calm = plays(number, window, people)
    played, usual = Played.read(troubled.folder(), year), Played.read(calm.folder(), year)
    spans = impact.windows(list(troubled.incidents), window.last)
    return {
        **metrics.quality(played),
        "calm": metrics.quality(usual) | metrics.trainings(usual),
        **metrics.trainings(played),
        **metrics.people(played),
        "days_from_shift_to_recovery": metrics.days_to_recovery(usual),
        "incidents": {name: impact.incident(played, usual, *span) for name, span in spans.items()},
        "dora": dora(played, usual),
        "weeks": metrics.weekly(played),
        "calm_weeks": metrics.weekly(usual),
        "strip": metrics.strip(played),
        "calm_strip": metrics.strip(usual),
    }


def _described(incident: Incident) -> dict[str, Any]:
    dates = {"first": str(incident.first), "last": str(incident.last)}
    return dates | {"story": incident.story, "natural": incident.natural}


def write(board: Board, folder: Path = DOCS) -> list[Path]:
    """Write the scoreboard as JSON, as a page, and as pictures; return the files."""
    from . import page, plots

    paths = [folder / "scoreboard.json", folder / "scoreboard.md"]
    for path, text in zip(paths, (to_json(board), page.page(board)), strict=True):
        write_text(path, text)
    return [*paths, *plots.draw(board, folder)]


def to_json(board: Board) -> str:
    """Return the scoreboard as text: the same board gives the same bytes."""
    return json.dumps(board, indent=1) + "\n"


def scoreboard(numbers: list[int] | None = None) -> list[Path]:
    """Play what is missing and write the scoreboard."""
    play_all(YEAR, numbers or sorted(levels()))
    return write(assemble(YEAR, sorted(levels())))
