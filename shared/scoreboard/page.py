"""The scoreboard as a page: tables, and takeaways whose sentences are held against the figures."""

from itertools import pairwise
from typing import Any

from ..markdown import table
from . import compare, dora, impact, incident_tables, prose
from .cells import WAITS, both, count, difference, one, show_value
from .difference import MEASURABLE, is_measurable
from .takeaways import takeaways

Board = dict[str, Any]


def page(board: Board) -> str:
    """Return the page."""
    first, last = board["period"]
    shifts = " and ".join(map(str, compare.SHIFTS))
    parts = [
        prose.HEAD.format(first=first, last=last),
        "## In a few lines\n\n" + "\n".join(f"{n}. {line}" for n, line in enumerate(takeaways(board), start=1)),
        "## Quality\n\n" + prose.GAIN.format(base=compare.BASE),
        prose.QUALITY.format(measurable=MEASURABLE, shifts=shifts),
        _differences(board),
        prose.SCALE,
        _scale(board),
        "## The year\n\n![trainings, releases and alarms](scoreboard-timeline.png)",
        _table(board, YEAR),
        _worse(board),
        "## Incidents\n\n" + prose.IMPACT.format(moved=impact.MOVED_BY, fewest=impact.MIN_HARMED),
        incident_tables.through_inputs(board),
        prose.MODELS.format(later=impact.LATER, measurable=MEASURABLE),
        incident_tables.through_models(board),
        _stories(board),
        "## DORA's metrics\n\n" + prose.DORA.format(days=dora.JUDGED_DAYS, chance=dora.CHANCE),
        _table(board, METRICS),
        "## What a level costs\n\n"
        + _table(board, COST)
        + "\n\nSeconds, memory and processes were measured in the calm year "
        "on one machine of two cores, shared with other work; they differ from run to run, nothing else does.",
        _assumptions(board),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _differences(board: Board) -> str:
    """Compare each level with the one below, the last one with the schedule, and all with hands."""
    numbers = list(board["levels"])
    below = [f"{above}-{below}" for below, above in pairwise(numbers)]
    pairs = dict.fromkeys([*below, "4-2", *(f"{number}-{compare.BASE}" for number in numbers)])
    rows = [
        [
            "level {} against {}".format(*pair.split("-")),
            *(difference(found.get(name, WAITS)) for name in WINDOWS),
        ]
        for pair in pairs
        if (found := board["differences"].get(pair))
    ]
    return table(["log loss", *WINDOWS.values()], rows)


WINDOWS = {"calm": "calm year", "year": "year with incidents", "after_shifts": "after a shift"}


def _scale(board: Board) -> str:
    levels = {f"level {number}": level["calm"]["log_loss"] for number, level in board["levels"].items()}
    known = {SCALE_NAMES[name]: loss for name, loss in board["scale"].items()}
    rows = sorted((known | levels).items(), key=lambda row: -row[1])
    return table(["answers", "log loss"], [[name, show_value(loss)] for name, loss in rows])


SCALE_NAMES = {
    "constant": "the year's share of late flights, for every flight",
    "day": "each day's share of late flights, for every flight of the day",
    "once": "a model trained once",
    "monthly": "a refit every month",
    "weekly": "a refit every week",
}


def _worse(board: Board) -> str:
    """Say where a level is worse than the one below in what must not get worse from level to level, and why."""
    lines = []
    for below, above in pairwise(board["levels"]):
        compared = board["differences"].get(f"{above}-{below}", {})
        for window, found in compared.items():
            if is_measurable(found) and found["mean"] > 0:
                lines.append(f"- log loss, {WINDOWS[window]}: level {above} by {difference(found)}")
        for name, (measure, why) in NEVER_WORSE.items():
            a, b = measure(board["levels"][below]), measure(board["levels"][above])
            if a is not None and b is not None and b > a:
                lines.append(f"- {name}: {b:g} at level {above}, {a:g} at level {below}; {why}")
    return "Where a level is worse than the one below:\n\n" + "\n".join(lines or ["- nowhere"])


NEVER_WORSE: dict[str, tuple[Any, str]] = {
    "share of flights not answered": (
        lambda level: round(1 - level["answered"], 4),
        "an answer that cannot be logged is not given",
    ),
    "human steps per release": (
        lambda level: level["steps_per_release"],
        "people had more to look at or to try again",
    ),
}


YEAR = {
    "log loss of the year": both("log_loss"),
    "log loss of the calm year": both("calm", "log_loss"),
    "log loss after a shift, calm year": both("calm", "after_shifts"),
    "AUC": both("auc"),
    "calibration error": both("calibration_error"),
    "flights answered": both("answered"),
    "trainings": both("trainings"),
    "models released": both("releases"),
    "alarms": both("alarms"),
    "human steps": both("human_steps"),
    "human steps by role": one("by_role"),
    "human steps per release": one("steps_per_release"),
}
METRICS = {
    "deployments a month": both("dora", "deployment_frequency_per_month"),
    "change lead time, days": both("dora", "change_lead_time_days"),
    "failed deployment recovery time, days": both("dora", "failed_deployment_recovery_days"),
    "change fail rate": both("dora", "change_fail_rate"),
    "change improvement rate": both("dora", "change_improvement_rate"),
    "deployment rework rate": both("dora", "deployment_rework_rate"),
}
COST = {
    "lines of code": one("cost", "code"),
    "lines of tests": one("cost", "tests"),
    "packages": one("cost", "packages"),
    "their size, MB": one("cost", "packages_mb"),
    "processes": one("cost", "measured", "processes"),
    "memory, MB": one("cost", "measured", "memory_mb"),
    "seconds for the year": one("cost", "measured", "seconds"),
    "of these in daily runs": one("cost", "measured", "seconds_by", "daily_run"),
    "of these in people's commands": one("cost", "measured", "seconds_by", "people"),
    "seconds to start": one("cost", "measured", "seconds_by", "start"),
}


def _table(board: Board, rows: dict[str, Any]) -> str:
    levels = board["levels"]
    head = ["", *(f"level {number}" for number in levels)]
    return table(head, [[name, *map(show, levels.values())] for name, show in rows.items()])


def _stories(board: Board) -> str:
    lines = [
        f"- *{name}*, {incident['first']} to {incident['last']}: {incident['story']}"
        for name, incident in board["incidents"].items()
    ]
    return "What they are; the first and last day of each:\n\n" + "\n".join(lines)


def _assumptions(board: Board) -> str:
    notice, act = board["assumptions"]["notice"], board["assumptions"]["act"]
    rows = []
    for sign, noticed in notice.items():
        days = [count(after[sign]["days"], "working day") for after in (notice, act)]
        rows.append([sign, *days, f"{noticed['why']}; {act[sign]['why']}"])
    head = ["sign", "noticed after", "acted upon after that", "why"]
    return f"## How people are assumed to behave\n\n{table(head, rows)}"
