"""What the journal tells, as the page draws it: shares by day, quality by model, events in words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import t as student

from ..demo.journal import Day, Served

ROUTINE = {"collected", "calibrated", "checked"}  # kinds of events that every day has
COLOURS = ["#1b7f4d", "#d1793a", "#4477aa", "#aa3377", "#bbaa33", "#777777"]  # told apart by people who see no red
PALE = "#9aa0a6"


@dataclass(frozen=True)
class Quality:
    """How well a model did in an arm: the mean of its days, with the error of that mean."""

    name: str
    days: int
    log_loss: float
    error: float | None  # half of a 95 % interval, by day; None: a single day has none

    def __str__(self) -> str:
        """Return it in words."""
        spread = "on a single day" if self.error is None else f"± {self.error:.3f} over {self.days} days"
        return f"{self.name}: log loss {self.log_loss:.3f} {spread}"


def name_of(served: Served) -> str:
    """Return how the page names a model in its arm: `champion 3` for version 3, or the model as it is called."""
    version = served.model.partition("/")[2].partition("@")[0]
    return " ".join(filter(None, (served.arm, version or served.model))) or "the model"


def qualities(days: Iterable[Day]) -> list[Quality]:
    """Return the quality of each model in each arm, in the order of their first days.

    Days are what varies: the flights of one share its weather, so each day counts once.
    """
    by_name: dict[str, list[float]] = {}
    for day in days:
        for served in day.served:
            if served.log_loss is not None:
                by_name.setdefault(name_of(served), []).append(served.log_loss)
    found = []
    for name, each in by_name.items():
        losses = np.array(each)
        count = len(losses)
        error = student.ppf(0.975, count - 1) * losses.std(ddof=1) / np.sqrt(count) if count > 1 else None
        found.append(Quality(name, count, float(losses.mean()), None if error is None else float(error)))
    return found


def names(days: Iterable[Day]) -> list[str]:
    """Return the models in their arms, in the order of their first days; a colour belongs to each."""
    return list(dict.fromkeys(name_of(served) for day in days for served in day.served))


def events(days: Sequence[Day]) -> list[tuple[str, str]]:
    """Return day and text of what was more than routine, newest first."""
    told = [(day.day, text) for day in days for kind, text in day.events if kind not in ROUTINE]
    return told[::-1]


def shares_chart(days: Sequence[Day]) -> dict[str, Any]:
    """Return the options of a chart: the share of the flights of each day that each model answered."""
    known = names(days)
    totals = [sum(served.flights for served in day.served) or 1 for day in days]
    series = [
        {
            "name": name,
            "type": "bar",
            "stack": "all",
            "barCategoryGap": "15%",
            "color": COLOURS[index % len(COLOURS)],
            "data": [round(100 * _flights(day, name) / total, 1) for day, total in zip(days, totals, strict=True)],
        }
        for index, name in enumerate(known)
    ]
    return _chart(days, series, {"max": 100, "axisLabel": {"formatter": "{value} %"}}, known)


def losses_chart(days: Sequence[Day]) -> dict[str, Any]:
    """Return the options of a chart: the log loss of each model on each day."""
    known = names(days)
    series = [
        {
            "name": name,
            "type": "line",
            "color": COLOURS[index % len(COLOURS)],
            "data": [_loss(day, name) for day in days],
        }
        for index, name in enumerate(known)
    ]
    return _chart(days, series, {"scale": True}, known)


def _flights(day: Day, name: str) -> int:
    return sum(served.flights for served in day.served if name_of(served) == name)


def _loss(day: Day, name: str) -> float | None:
    found = [served.log_loss for served in day.served if name_of(served) == name and served.log_loss is not None]
    return round(found[0], 4) if found else None


def _chart(
    days: Sequence[Day], series: list[dict[str, Any]], scale: dict[str, Any], known: list[str]
) -> dict[str, Any]:
    troubled = [{"xAxis": day.day[5:]} for day in days if day.incidents]
    if series:
        marks = {"symbol": "none", "label": {"show": False}, "lineStyle": {"color": "#c0392b"}, "data": troubled}
        series[0] = series[0] | {"markLine": marks}
    return {
        "animation": False,
        "grid": {"left": 48, "right": 12, "top": 36, "bottom": 28},
        "legend": {"data": known, "top": 0, "textStyle": {"color": PALE}},
        "tooltip": {"trigger": "axis"},
        "xAxis": {"type": "category", "data": [day.day[5:] for day in days]},
        "yAxis": {"type": "value", **scale},
        "series": series,
    }
