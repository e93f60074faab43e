"""The picture at the top of the README: what each level won or lost over the year with incidents, at a glance."""

from datetime import date
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure

from ..base import levels
from .compare import BASE
from .plots import COLOURS, course

TOLD = {  # incidents that change the picture, in two words
    "furlough": "furlough",
    "celsius": "°C for °F",
    "storms": "summer storms",
    "labels": "wrong labels",
    "calm": "September calm",
    "code": "broken code",
    "merger": "airlines merge",
}
NATURAL, PLANTED = "#4477aa", "#cc4455"
APART = 550  # flights, between two names at the end of the lines


def draw(board: dict[str, Any], folder: Path) -> Path:
    """Draw it; return its file."""
    path = folder / "scoreboard-year.png"
    _glance(board).savefig(path, dpi=110, metadata={"Software": None})
    return path


def _glance(board: dict[str, Any]) -> Figure:
    """Draw the cumulated gain of each level over the base, named at the end of its line, with its error."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    axes = figure.subplots()
    first, last = (date.fromisoformat(day) for day in board["period"])
    axes.set_xlim(first, last)  # type: ignore[arg-type]
    axes.axhline(0, color=COLOURS[int(BASE)], linewidth=3)
    names = {BASE: (0.0, "")}
    for number, by_year in board["gains"].items():
        days, gain, band = course(by_year["year"], board["scale"]["constant"])
        axes.plot(days, gain, color=COLOURS[int(number)], linewidth=3)  # type: ignore[arg-type]
        names[number] = float(gain[-1]), f": {gain[-1]:+,.0f} ± {band[-1]:,.0f}"
    _name(axes, last, names)
    _mark(axes, board["incidents"])
    flights = sum(flights for flights, _ in next(iter(board["gains"].values()))["year"].values())
    axes.set_ylabel(f"log loss gained over level {BASE}:\nas many flights foretold, of {flights:,.0f}")
    axes.xaxis.set_major_formatter(DateFormatter("%b"))  # type: ignore[no-untyped-call]
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return figure


def _name(axes: Axes, last: date, names: dict[str, tuple[float, str]]) -> None:
    """Write the name of each level at the end of its line, and none over another."""
    at = -float("inf")
    for number, (end, gain) in sorted(names.items(), key=lambda each: each[1]):
        at = max(end, at + APART)
        name = levels()[int(number)].partition("_")[2]
        look: dict[str, Any] = {"va": "center", "color": COLOURS[int(number)], "weight": "bold"}
        axes.annotate(f"  level {number}, {name}{gain}", (last, at), annotation_clip=False, **look)


def _mark(axes: Axes, incidents: dict[str, Any]) -> None:
    """Shade the days of the incidents that change the picture, and say what they are."""
    top = axes.get_ylim()[1]
    for name in sorted(TOLD.keys() & incidents.keys()):
        begins, until = (date.fromisoformat(incidents[name][end]) for end in ("first", "last"))
        colour = NATURAL if incidents[name]["natural"] else PLANTED
        axes.axvspan(begins, until, color=colour, alpha=0.12, linewidth=0)  # type: ignore[arg-type]
        look: dict[str, Any] = {"fontsize": 9, "rotation": 45, "annotation_clip": False}
        axes.annotate(TOLD[name], (begins + (until - begins) / 2, top), color=colour, **look)
