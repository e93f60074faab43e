"""The scoreboard's plots: what each level gained, and the year of each level as a timeline."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from .compare import BASE
from .difference import of_sums

Floats = NDArray[np.float64]
COLOURS = ["#bbbbbb", "#ccbb44", "#4477aa", "#228833", "#aa3377"]
YEARS = {"year": "the year with incidents", "calm": "the calm year"}
MARKS = {
    "released": ("^", "#228833", 0.22),
    "in the A/B test": ("^", "#bbbbbb", 0.22),
    "withdrawn": ("v", "#ee6677", 0.22),
    "trained": ("|", "#4477aa", 0.0),
    "alarm": (".", "#ee6677", -0.22),
}


def draw(board: dict[str, Any], folder: Path) -> list[Path]:
    """Draw all plots; return their files."""
    plots = {"gain": _gain(board), "timeline": _timeline(board)}
    paths = {name: folder / f"scoreboard-{name}.png" for name in plots}
    for name, plot in plots.items():
        plot.savefig(paths[name], dpi=110, metadata={"Software": None})
    return list(paths.values())


def _gain(board: dict[str, Any]) -> Figure:
    """Draw what each level gained over the base until each week, with twice its error; a panel for each year."""
    years = [name for name in YEARS if all(name in by_year for by_year in board["gains"].values())]
    figure = Figure(figsize=(10, 0.6 + 3.2 * len(years)), layout="constrained")
    for axes, name in zip(figure.subplots(len(years), sharey=True, squeeze=False).flat, years, strict=True):
        for number, by_year in board["gains"].items():
            _draw_gain(axes, number, by_year[name], board["scale"]["constant"])
        axes.axhline(0, color=COLOURS[int(BASE)], linewidth=2, label=f"level {BASE}")
        axes.annotate(YEARS[name], (0.01, 0.9), xycoords="axes fraction", weight="bold")
        axes.set_ylabel(f"gain over level {BASE},\nin flights known beforehand")
        _mark_incidents(axes, board, injected=name == "year")
    lines = dict(sorted(zip(*reversed(axes.get_legend_handles_labels()), strict=True)))
    figure.legend(lines.values(), lines.keys(), ncols=len(lines), loc="outside lower center", frameon=False)
    return figure


def course(by_week: dict[str, list[float]], worth: float) -> tuple[list[date], Floats, Floats]:
    """Return the ends of the weeks, what a level gained until each, and twice the error of that; in flights.

    Args:
        by_week: flights and the sum of their gains in log loss, by the first day of the week.
        worth: the log loss of a flight about which nothing is known.
    """
    weeks = pd.DataFrame.from_dict(by_week, orient="index", columns=["flights", "sum"])
    ends = [date.fromisoformat(week) + timedelta(weeks=1) for week in weeks.index]
    until = [of_sums(weeks["sum"][:n], weeks["flights"][:n]) for n in range(1, len(weeks) + 1)]
    flights = weeks["flights"].cumsum().to_numpy() / worth
    gain = np.array([difference.mean for difference in until]) * flights
    return ends, gain, 2 * np.array([difference.error or 0.0 for difference in until]) * flights


def _draw_gain(axes: Axes, number: str, by_week: dict[str, list[float]], worth: float) -> None:
    """Draw one level's gain."""
    ends, gain, band = course(by_week, worth)
    axes.plot(ends, gain, color=COLOURS[int(number)], linewidth=2, label=f"level {number}")  # type: ignore[arg-type]
    axes.fill_between(ends, gain - band, gain + band, color=COLOURS[int(number)], alpha=0.15, linewidth=0)  # type: ignore[arg-type]


def _dates(days: Iterable[str]) -> list[date]:
    return [date.fromisoformat(day) for day in days]


def _timeline(board: dict[str, Any]) -> Figure:
    numbers = list(board["levels"])
    figure = Figure(figsize=(10, 1.2 + 0.8 * len(numbers)), layout="constrained")
    axes = figure.subplots()
    for row, number in enumerate(reversed(numbers)):
        for name, (mark, colour, above) in MARKS.items():
            days = _dates(board["levels"][number]["timeline"].get(name, []))
            label = name if row == 0 else None
            axes.scatter(days, [row + above] * len(days), marker=mark, color=colour, s=30, label=label)  # type: ignore[arg-type]
    axes.set_yticks(range(len(numbers)), [f"level {number}" for number in reversed(numbers)])
    axes.set_ylim(-0.6, len(numbers) - 0.1)
    _mark_incidents(axes, board)
    figure.legend(ncols=len(MARKS), loc="outside lower center", frameon=False)
    return figure


def _mark_incidents(axes: Axes, board: dict[str, Any], injected: bool = True) -> None:
    """Shade the days of each incident, and write its name above; those that are injected only on demand."""
    first, last = (date.fromisoformat(day) for day in board["period"])
    for name, incident in board["incidents"].items():
        begins, ends = date.fromisoformat(incident["first"]), date.fromisoformat(incident["last"])
        if ends < first or begins > last or not (injected or incident["natural"]):
            continue
        axes.axvspan(begins, ends, color="#4477aa" if incident["natural"] else "#ee6677", alpha=0.08)  # type: ignore[arg-type]
        if injected != incident["natural"]:
            axes.text(begins, 1.01, name, transform=axes.get_xaxis_transform(), fontsize=7, rotation=45)  # type: ignore[arg-type]
    axes.set_xlim(first, last)  # type: ignore[arg-type]
    axes.xaxis.set_major_formatter(DateFormatter("%b"))  # type: ignore[no-untyped-call]
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
