"""The scoreboard's tables of incidents: what each did through inputs, and what through models."""

from collections.abc import Callable
from typing import Any

from ..markdown import table
from .cells import WAITS, count, difference
from .difference import is_measurable

Board = dict[str, Any]


def through_inputs(board: Board) -> str:
    """Return the table of what happened between the flights and their answers."""
    return table(_head(board), _rows(board, _inputs))


def through_models(board: Board) -> str:
    """Return the table of what happened to models; the last row counts how often they were worse."""
    worse = [f"{_worse(level, 'models')} ({_worse(level, 'placebo')})" for level in board["levels"].values()]
    known = [
        text if level["incidents"] else WAITS for text, level in zip(worse, board["levels"].values(), strict=True)
    ]
    return table(_head(board), [*_rows(board, _models), ["models worse", *known]])


def _head(board: Board) -> list[str]:
    return ["", *(f"level {number}" for number in board["levels"])]


def _rows(board: Board, show: Callable[[Board], str]) -> list[list[str]]:
    names = [name for name, incident in board["incidents"].items() if not incident["natural"]]
    by_level = [level["incidents"] for level in board["levels"].values()]
    return [[name, *(show(found[name]) if name in found else WAITS for found in by_level)] for name in names]


def _inputs(impact: Board) -> str:
    """Return in one cell what came of an incident, and what it did to answers."""
    cell = str(impact["outcome"])
    if impact["days_to_notice"] is not None and cell != "does not apply":
        cell += f", day {impact['days_to_notice']}"
    for name in ("unanswered", "moved"):
        if impact[f"flights_{name}"]:
            cell += f"; {impact[f'flights_{name}']:,} {name}"
    if impact["inputs"]:
        cell += f"; {difference(impact['inputs'])}"
    return cell + _recovery(impact)


def _recovery(impact: Board) -> str:
    """Say when it was over, if it touched any day's flights."""
    days, steps = impact["days_to_recover"], impact["human_steps_to_recover"]
    if days is None:
        return "; not over in its period"
    how = f"with {count(steps, 'human step')}" if steps else "without people"
    return f"; over after {count(days, 'day')}, {how}" if days else ""


def _models(impact: Board) -> str:
    """Return in one cell what an incident did to models, and what its placebo says."""
    return f"{difference(impact['models'])} ({difference(impact['placebo'])})"


def _worse(level: Board, name: str) -> int:
    found = [impact[name] for impact in level["incidents"].values() if impact[name]]
    return sum(is_measurable(excess) and excess["mean"] > 0 for excess in found)
