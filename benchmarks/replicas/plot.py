"""The picture of docs/replicas.json."""

import numpy as np
from matplotlib.figure import Figure

from .found import Figures, one_process, parts, ways

COLORS = "#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#bbbbbb"


def draw(figures: Figures) -> Figure:
    """Draw the rates, and which part takes how much of the processor."""
    figure, measured = Figure(figsize=(10, 3.6), layout="constrained"), ways(figures)
    rates, shares = figure.subplots(1, 2, sharey=True)
    names = list(measured)[::-1]
    rates.barh(names, [measured[name]["requests_a_second"] for name in names], color=COLORS[0])
    rates.axvline(one_process(), color="#333333", linestyle="--", label="one process, no balancer")
    rates.set(title="one flight a request, 8 clients", xlabel="requests a second")
    rates.legend(loc="lower right", fontsize="small")
    left = np.zeros(len(names))
    for part, color in zip(parts(figures), COLORS, strict=False):
        took = np.array([measured[name]["processor_ms"].get(part, 0.0) for name in names])
        shares.barh(names, took, left=left, color=color, label=part)
        left += took
    shares.set(title="processor time of a request", xlabel="ms")
    if names:
        figure.legend(*shares.get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    for axes in (rates, shares):
        axes.spines[["top", "right"]].set_visible(False)
    return figure
