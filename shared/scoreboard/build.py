"""The same year at every level: simulate what is missing, and write docs/scoreboard.json, .md and the plots.

Each level's year is simulated four times: with incidents and without, with people and with nobody after the first
model. Results are kept in .stage/simulation and used again, as long as neither the level nor the simulation
changes.
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from .. import base, cluster
from ..base import ROOT, StageError, git, levels, write_text
from ..simulation.elsewhere import simulate_elsewhere
from ..simulation.operator_model import read_assumptions
from ..simulation.plays import simulate_all
from ..simulation.scenario import NOBODY, USUAL, Scenario, is_finished
from ..world.dataset import Year, load_year
from ..world.incidents import INCIDENTS, SEED, Incident
from ..world.period import LAST_DAY, LIVE, Period
from . import compare, cost, impact, metrics
from .dora import dora
from .result import Result

YEAR = Period(LIVE, LAST_DAY)
DOCS = ROOT / "docs"

Board = dict[str, Any]


def scenarios(level: int, period: Period, people: str) -> tuple[Scenario, Scenario]:
    """Return the two scenarios of a level that are compared: with incidents, and the calm year."""
    incidents = tuple(incident for incident in INCIDENTS.values() if incident.overlaps(period))
    return Scenario(level, period, incidents, people), Scenario(level, period, (), people)


def missing(period: Period, numbers: list[int]) -> list[Scenario]:
    """Return the scenarios of these levels that are not simulated yet; the longest ones begin."""
    return [
        scenario
        for number in sorted(numbers, reverse=True)
        for people in (USUAL, NOBODY)
        for scenario in scenarios(number, period, people)
        if not is_finished(scenario)
    ]


def assemble(period: Period, numbers: list[int]) -> Board:
    """Return the scoreboard of the levels whose simulations are finished.

    Raises:
        StageError: no level has both of them.
    """
    year = load_year(base.WORKSPACES / "year")
    levels: Board = {}
    losses: compare.Losses = {}
    for number in numbers:
        if all(map(is_finished, scenarios(number, period, USUAL))):
            levels[str(number)], losses[str(number)] = of_level(number, period, year)
    if not levels:
        raise StageError("no level's year is simulated to its end: run `make scoreboard`")
    return {
        "levels": levels,
        "differences": compare.differences(losses),
        "gains": compare.gains(losses),
        "scale": compare.scale(year, period),
        "assumptions": read_assumptions(),
        "incidents": {incident.id: _described(incident) for incident in INCIDENTS.values()},
        "period": [str(period.first), str(period.last)],
        "seed": SEED,
        "commit": git(ROOT, "log", "-1", "--format=%h", "--abbrev=12", "--", "shared", "level[0-9]_*").strip(),
    }


def of_level(number: int, period: Period, year: Year) -> tuple[Board, dict[str, pd.DataFrame]]:
    """Return everything about one level, with nobody too where that is simulated; and its losses with people."""
    board, losses = of_scenarios(number, period, year, USUAL)
    if all(map(is_finished, scenarios(number, period, NOBODY))):
        board["nobody"], alone = of_scenarios(number, period, year, NOBODY)
        board["nobody"]["against_people"] = {
            name: compare.difference(alone[name], losses[name]) for name in ("year", "calm")
        }
    folder = scenarios(number, period, USUAL)[1].folder()
    board["cost"] = cost.lines(number) | cost.packages(number) | {"measured": cost.measured(folder)}
    return board, losses


def of_scenarios(number: int, period: Period, year: Year, people: str) -> tuple[Board, dict[str, pd.DataFrame]]:
    """Return the metrics of a level's year with incidents, against its calm year; and the losses of both."""
    with_incidents, without = scenarios(number, period, people)
    result, calm = Result.read(with_incidents, year), Result.read(without, year)
    calm.check_replay()
    board = {
        **metrics.quality(result),
        "calm": metrics.quality(calm) | compare.shifted(calm.flights) | metrics.trainings(calm),
        **metrics.trainings(result),
        **metrics.people(result),
        "incidents": impact.incidents(result, calm, with_incidents.incidents),
        "dora": dora(result),
        "timeline": metrics.timeline(result),
    }
    return board, {name: played.flights[["day", "loss"]] for name, played in (("year", result), ("calm", calm))}


def _described(incident: Incident) -> dict[str, Any]:
    dates = {"first": str(incident.first), "last": str(incident.last)}
    return dates | {"story": incident.story, "natural": incident.natural}


def write(board: Board, folder: Path = DOCS) -> list[Path]:
    """Write the scoreboard as JSON, as a page, and as plots; return the files."""
    from . import glance, page, plots

    paths = [folder / "scoreboard.json", folder / "scoreboard.md"]
    for path, text in zip(paths, (to_json(board), page.page(board)), strict=True):
        write_text(path, text)
    return [*paths, *plots.draw(board, folder), glance.draw(board, folder)]


def to_json(board: Board) -> str:
    """Return the scoreboard as text: the same board gives the same bytes."""
    return json.dumps(board, indent=1) + "\n"


def scoreboard(numbers: list[int] | None = None, workers: int = 1) -> list[Path]:
    """Simulate what is missing, so many scenarios at a time or on the cluster, and write the scoreboard."""
    scenarios = missing(YEAR, numbers or sorted(levels()))
    if cluster.address():
        simulate_elsewhere(scenarios)
    else:
        simulate_all(scenarios, workers)
    return write(assemble(YEAR, sorted(levels())))
