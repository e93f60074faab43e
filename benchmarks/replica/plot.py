"""The picture of the policies: what each of them gains over the year."""

from collections.abc import Mapping
from datetime import timedelta

import numpy as np
from matplotlib.dates import DateFormatter
from matplotlib.figure import Figure

from shared.world.period import FIRST_DAY

from .play import ONCE, Played

DRAWN = {
    "refitted monthly": ("#bbbbbb", "--"),
    "refitted weekly": ("#888888", "--"),
    "level 2": ("#4477aa", "-"),
    "level 3": ("#228833", "-"),
    "level 4": ("#aa3377", "-"),
}


def gain_over(played: Played, other: Played) -> tuple[np.ndarray, np.ndarray]:
    """Return the days, and what a policy has gained over another until each, as a part of the year's log loss."""
    gained = (other.losses - played.losses) / len(played.losses)
    days = np.unique(played.day)
    return days, np.cumsum(gained)[np.searchsorted(played.day, days, side="right") - 1]


def draw(played: Mapping[str, Played]) -> Figure:
    """Draw what levels and blind refits gain over a model that was trained once."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    for name, (colour, style) in DRAWN.items():
        days, gained = gain_over(played[name], played[ONCE])
        axes.plot(
            [FIRST_DAY + timedelta(days=int(day)) for day in days],  # type: ignore[arg-type]
            gained,
            style,
            color=colour,
            linewidth=2,
            label=name,
        )
    axes.axhline(0, color="#dddddd", zorder=0)
    axes.set(ylabel=f"log loss gained over\n{ONCE}", title="What renewing the model gains, March to December")
    axes.xaxis.set_major_formatter(DateFormatter("%b"))  # type: ignore[no-untyped-call]
    axes.legend(frameon=False)
    return figure
