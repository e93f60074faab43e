"""The scoreboard's plots: quality by week, the year of each level as a timeline, and the closed loop's."""

from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ["#bbbbbb", "#ccbb44", "#4477aa", "#228833", "#aa3377"]
LOOP = "4"  # the level that starts trainings from what production shows
MARKS = {
    "released": ("^", "#228833", 0.22),
    "in the A/B test": ("^", "#bbbbbb", 0.22),
    "withdrawn": ("v", "#ee6677", 0.22),
    "trained": ("|", "#4477aa", 0.0),
    "alarm": (".", "#ee6677", -0.22),
}


def draw(board: dict[str, Any], folder: Path) -> list[Path]:
    """Draw all plots; return their files."""
    plots = {"weeks": _weeks(board), "timeline": _timeline(board)}
    if LOOP in board["levels"]:
        plots["loop"] = _loop(board)
    paths = {name: folder / f"scoreboard-{name}.png" for name in plots}
    for name, plot in plots.items():
        plot.savefig(paths[name], dpi=110, metadata={"Software": None})
    return list(paths.values())


def _weeks(board: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    axes = figure.subplots()
    _draw_weeks(axes, {number: level["weeks"] for number, level in board["levels"].items()})
    axes.set_ylabel("log loss of the week")
    _mark_incidents(axes, board)
    return figure


def _draw_weeks(axes: Axes, levels: dict[str, dict[str, float | None]]) -> None:
    for number, weeks in levels.items():
        means = [float("nan") if mean is None else mean for mean in weeks.values()]
        axes.plot(_dates(weeks), means, color=COLOURS[int(number)], label=f"level {number}", linewidth=1.5)  # type: ignore[arg-type]
    axes.figure.legend(ncols=len(levels), loc="outside lower center", frameon=False)


def _loop(board: dict[str, Any]) -> Figure:
    """Draw the closed loop's calm year beside the other levels', with what it did; shades are the versions."""
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    above, below = figure.subplots(2, sharex=True, height_ratios=[4, 1])
    calm = {number: level["calm_weeks"] for number, level in board["levels"].items()}
    lowest = next(iter(calm.values()))
    _draw_weeks(above, {number: _gain(lowest, weeks) for number, weeks in calm.items()})
    above.set_ylabel("log loss gained over the first level")
    timeline = board["levels"][LOOP]["calm_timeline"]
    for row, (name, (mark, colour, _)) in enumerate(MARKS.items()):
        below.scatter(_dates(timeline[name]), [row] * len(timeline[name]), marker=mark, color=colour, s=30)
    below.set_yticks(range(len(MARKS)), list(MARKS))
    below.set_ylim(-0.6, len(MARKS) - 0.4)
    first, last = _dates(board["period"])
    changes = [first, *_dates(timeline["released"][1:]), last]
    for n, (begins, ends) in enumerate(pairwise(changes)):
        for axes in (above, below):
            axes.axvspan(begins, ends, color=COLOURS[int(LOOP)], alpha=0.12 if n % 2 else 0.04, linewidth=0)
    above.set_xlim(first, last)
    return figure


def _gain(lowest: dict[str, float | None], weeks: dict[str, float | None]) -> dict[str, float | None]:
    """Return how much lower the log loss was; week by week it says more about the weather than about a level."""
    pairs = {week: (lowest[week], mean) for week, mean in weeks.items()}
    return {week: a - b if a is not None and b is not None else None for week, (a, b) in pairs.items()}


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


def _mark_incidents(axes: Axes, board: dict[str, Any]) -> None:
    """Shade the days of each incident, and write its name above the injected ones."""
    first, last = (date.fromisoformat(day) for day in board["period"])
    for name, incident in board["incidents"].items():
        begins, ends = date.fromisoformat(incident["first"]), date.fromisoformat(incident["last"])
        if ends < first or begins > last:
            continue
        axes.axvspan(begins, ends, color="#4477aa" if incident["natural"] else "#ee6677", alpha=0.08)  # type: ignore[arg-type]
        if not incident["natural"]:
            axes.text(begins, 1.01, name, transform=axes.get_xaxis_transform(), fontsize=7, rotation=45)  # type: ignore[arg-type]
    axes.set_xlim(first, last)  # type: ignore[arg-type]
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
