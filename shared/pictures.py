"""The scoreboard's pictures: quality week by week, and the year of each level as a strip."""

from datetime import date
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

COLOURS = ["#bbbbbb", "#ccbb44", "#4477aa", "#228833", "#aa3377"]
MARKS = {
    "released": ("^", "#228833", 0.22),
    "on trial": ("^", "#bbbbbb", 0.22),
    "withdrawn": ("v", "#ee6677", 0.22),
    "trained": ("|", "#4477aa", 0.0),
    "alarm": (".", "#ee6677", -0.22),
}


def draw(board: dict[str, Any], folder: Path) -> list[Path]:
    """Draw all pictures; return their files."""
    paths = [folder / "scoreboard-weeks.png", folder / "scoreboard-strip.png"]
    for path, picture in zip(paths, (_weeks(board), _strip(board)), strict=True):
        picture.savefig(path, dpi=110, metadata={"Software": None})
    return paths


def _weeks(board: dict[str, Any]) -> Figure:
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    axes = figure.subplots()
    for number, level in board["levels"].items():
        days = [date.fromisoformat(week) for week in level["weeks"]]
        means = [float("nan") if mean is None else mean for mean in level["weeks"].values()]
        axes.plot(days, means, color=COLOURS[int(number)], label=f"level {number}", linewidth=1.5)  # type: ignore[arg-type]
    _mark_incidents(axes, board)
    axes.set_ylabel("log loss of the week")
    axes.legend(ncols=len(board["levels"]), loc="upper right", frameon=False)
    return figure


def _strip(board: dict[str, Any]) -> Figure:
    numbers = list(board["levels"])
    figure = Figure(figsize=(10, 1.2 + 0.8 * len(numbers)), layout="constrained")
    axes = figure.subplots()
    for row, number in enumerate(reversed(numbers)):
        for name, (mark, colour, above) in MARKS.items():
            days = [date.fromisoformat(day) for day in board["levels"][number]["strip"].get(name, [])]
            label = name if row == 0 else None
            axes.scatter(days, [row + above] * len(days), marker=mark, color=colour, s=30, label=label)  # type: ignore[arg-type]
    axes.set_yticks(range(len(numbers)), [f"level {number}" for number in reversed(numbers)])
    axes.set_ylim(-0.6, len(numbers) - 0.1)
    _mark_incidents(axes, board)
    figure.legend(ncols=len(MARKS), loc="outside lower center", frameon=False)
    return figure


def _mark_incidents(axes: Axes, board: dict[str, Any]) -> None:
    """Shade the days of each incident, and write its name above the planted ones."""
    first, last = (date.fromisoformat(day) for day in board["window"])
    for name, each in board["incidents"].items():
        begins, ends = date.fromisoformat(each["first"]), date.fromisoformat(each["last"])
        if ends < first or begins > last:
            continue
        axes.axvspan(begins, ends, color="#4477aa" if each["natural"] else "#ee6677", alpha=0.08)  # type: ignore[arg-type]
        if not each["natural"]:
            axes.text(begins, 1.01, name, transform=axes.get_xaxis_transform(), fontsize=7, rotation=45)  # type: ignore[arg-type]
    axes.set_xlim(first, last)  # type: ignore[arg-type]
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
