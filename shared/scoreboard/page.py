"""The scoreboard as a page: tables, and takeaways whose sentences are held against the figures."""

from itertools import pairwise
from typing import Any

from ..markdown import table
from . import dora, impact
from .plots import LOOP
from .takeaways import takeaways

Board = dict[str, Any]

WAITS = "waits"  # a figure that comes with the next simulation of the year

HEAD = """# The same year at every level

The real flights of {first} to {last}, with the same incidents, simulated at every level. Written by

```sh
make scoreboard
```

All figures are also in [scoreboard.json](scoreboard.json); one that *waits* comes with the next simulation of the
year. What depends on people depends on the assumptions in
[assumptions.yaml](../shared/simulation/assumptions.yaml); where a cell has two figures, the second is without
anybody after the first model.
"""

DORA = """Definitions as DORA gives them in 2026, for one application whose model changes: a *deployment* is a
model or an application that gets all traffic. *Lead time*: from a model's training to all traffic (median).
*Fail rate*: share of deployments that made more than {share:.0%} of the answers of their first {days} days
wrong, against the calm year. *Recovery time*: from a failed deployment to the next that did not fail. *Rework*:
share of deployments that people made because of trouble, and returns to an earlier model. Frequency and lead
time are throughput; fail and rework rate are instability. DORA warns against comparing applications by them:
these are five stories about one. No bands are given.
"""

IMPACT = """Each incident is counted from its first day until the next one begins, so what lingers after it is
counted to it. Its impact is a difference, between this year and the same level's year without incidents: flights
not answered, and answers further than {wrong} from the calm year's on days that were worse than there (log
loss). A cell gives the outcome, the day somebody or something noticed, the flights harmed, the log loss added
in its period, and when less than a fiftieth of a day's flights was harmed, for good. Earlier incidents leave
other models behind than the calm year has: the share of wrong answers in the {before} days before is *left* by
them, and neither outcome nor recovery counts it. *Prevented*: it was refused; or the machine noticed, and
fewer than {fewest:.1%} of the period's flights were harmed. *No harm*: it did not notice, and there was none.
"""

CLOSED_LOOP = """

The closed loop in its calm year, beside the other levels; each shade is the time of one version:

![quality, alarms, trainings and versions of level 4](scoreboard-loop.png)
"""


def page(board: Board) -> str:
    """Return the page."""
    first, last = board["period"]
    parts = [
        HEAD.format(first=first, last=last),
        "## In a few lines\n\n" + "\n".join(f"{n}. {line}" for n, line in enumerate(takeaways(board), start=1)),
        "## Quality, week by week\n\n![log loss by week](scoreboard-weeks.png)",
        "![trainings, releases and alarms](scoreboard-timeline.png)"
        + (CLOSED_LOOP if LOOP in board["levels"] else ""),
        _table(board, YEAR),
        _worse(board),
        "## Incidents\n\n"
        + IMPACT.format(wrong=impact.WRONG_BY, fewest=impact.MIN_HARMED, before=impact.DAYS_BEFORE)
        + "\n"
        + _incidents(board),
        _stories(board),
        "## DORA's metrics\n\n"
        + DORA.format(share=dora.FAILED_SHARE, days=dora.FAILED_DAYS)
        + "\n"
        + _table(board, METRICS),
        "## What a level costs\n\n"
        + _table(board, COST)
        + "\n\nSeconds, memory and processes were measured in the calm year "
        "on one machine of two cores, shared with other work; they differ from run to run, nothing else does.",
        _assumptions(board),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _worse(board: Board) -> str:
    """Say where a level is worse than the one below in what must not get worse from level to level, and why."""
    lines = []
    for below, above in pairwise(board["levels"]):
        for name, (measure, why) in NEVER_WORSE.items():
            a, b = measure(board["levels"][below]), measure(board["levels"][above])
            if a is not None and b is not None and b > a:
                lines.append(f"- {name}: {b:g} at level {above}, {a:g} at level {below}; {why}")
    return "Where a level is worse than the one below:\n\n" + "\n".join(lines or ["- nowhere"])


def _recovery(level: Board) -> float | None:
    days = [taken for taken in level["days_from_shift_to_recovery"] if taken is not None]
    return sum(days) / len(days) if days else None


NEVER_WORSE: dict[str, tuple[Any, str]] = {
    "log loss of the calm year": (
        lambda level: level["calm"]["log_loss"],
        "gates refuse, and an A/B test delays, what people let through",
    ),
    "log loss of the year with incidents": (
        lambda level: level["log_loss"],
        "its models were trained on other weeks, some of them with incidents",
    ),
    "share of flights not answered": (
        lambda level: round(1 - level["answered"], 4),
        "an answer that cannot be logged is not given",
    ),
    "human steps per release": (
        lambda level: level["steps_per_release"],
        "people had more to look at or to try again",
    ),
    "days from a shift to a model that was trained on it, on average": (
        _recovery,
        "a training in the week after a shift has it only among the days held out, the schedule's next is a month "
        "later, and a candidate then has to prove itself on part of the traffic",
    ),
}


def _both(*path: str) -> Any:
    """Return a way to show a figure with people and, after a slash, with nobody."""

    def show(level: Board) -> str:
        shown = _show(_at(level, path))
        return f"{shown} / {_show(_at(level['nobody'], path))}" if "nobody" in level else shown

    return show


def _one(*path: str) -> Any:
    return lambda level: _show(_at(level, path))


YEAR = {
    "log loss of the year": _both("log_loss"),
    "log loss of the calm year": _both("calm", "log_loss"),
    "AUC": _both("auc"),
    "calibration error": _both("calibration_error"),
    "flights answered": _both("answered"),
    "trainings": _both("trainings"),
    "models released": _both("releases"),
    "alarms": _both("alarms"),
    "human steps": _both("human_steps"),
    "human steps by role": _one("by_role"),
    "human steps per release": _one("steps_per_release"),
    "days from storms and calm to a model that was trained on them": _both("days_from_shift_to_recovery"),
}
METRICS = {
    "deployments a month": _both("dora", "deployment_frequency_per_month"),
    "change lead time, days": _both("dora", "change_lead_time_days"),
    "failed deployment recovery time, days": _both("dora", "failed_deployment_recovery_days"),
    "change fail rate": _both("dora", "change_fail_rate"),
    "deployment rework rate": _both("dora", "deployment_rework_rate"),
}
COST = {
    "lines of code": _one("cost", "code"),
    "lines of tests": _one("cost", "tests"),
    "packages": _one("cost", "packages"),
    "their size, MB": _one("cost", "packages_mb"),
    "processes": _one("cost", "measured", "processes"),
    "memory, MB": _one("cost", "measured", "memory_mb"),
    "seconds for the year": _one("cost", "measured", "seconds"),
    "of these in daily runs": _one("cost", "measured", "seconds_by", "daily_run"),
    "of these in people's commands": _one("cost", "measured", "seconds_by", "people"),
    "seconds to start": _one("cost", "measured", "seconds_by", "start"),
}


def _table(board: Board, rows: dict[str, Any]) -> str:
    levels = board["levels"]
    head = ["", *(f"level {number}" for number in levels)]
    return table(head, [[name, *map(show, levels.values())] for name, show in rows.items()])


def _incidents(board: Board) -> str:
    names = [name for name, incident in board["incidents"].items() if not incident["natural"]]
    return _table(board, {name: _cell_of(name) for name in names})


def _cell_of(name: str) -> Any:
    return lambda level: _incident(level["incidents"][name]) if name in level["incidents"] else WAITS


def _incident(impact: Board) -> str:
    """Return in one cell what came of an incident."""
    cell = str(impact["outcome"])
    if impact["days_to_notice"] is not None and cell != "does not apply":
        cell += f", day {impact['days_to_notice']}"
    if impact["outcome"] in ("does not apply", "no harm", "prevented"):
        return cell
    cell += f"; {impact['flights_harmed']:,} flights"
    if impact["flights_left_harmed"]:
        cell += f" ({impact['flights_left_harmed']:,} left)"
    cell += f", {impact['excess_log_loss']:+.4f}"
    if impact["days_to_recover"] is None:
        return f"{cell}; not over in its period"
    steps = impact["human_steps_to_recover"]
    how = f"with {_count(steps, 'human step')}" if steps else "without people"
    return f"{cell}; over after {_count(impact['days_to_recover'], 'day')}, {how}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


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
        days = [_count(after[sign]["days"], "working day") for after in (notice, act)]
        rows.append([sign, *days, f"{noticed['why']}; {act[sign]['why']}"])
    head = ["sign", "noticed after", "acted upon after that", "why"]
    return f"## How people are assumed to behave\n\n{table(head, rows)}"


def _at(level: Board, path: tuple[str, ...]) -> Any:
    found: Any = level
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _show(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in value.items()) or "none"
    if isinstance(value, list):
        return " and ".join(map(_show, value))
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
