"""What a person looks at before releasing a model."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve

COLOURS = {"candidate": "#4477aa", "champion": "#cc6677"}


def draw_calibration(late: pd.Series, answers: dict[str, np.ndarray], path: Path) -> None:
    """Draw how often flights were late against how often they were said to be."""
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for name, answer in answers.items():
        was, said = calibration_curve(late, answer, n_bins=10, strategy="quantile")
        axes.plot(said, was, marker="o", color=COLOURS[name], label=name)
    axes.set(xlabel="predicted share late", ylabel="share late", title="Calibration on days not seen")
    axes.legend()
    figure.savefig(path)


def draw_slices(by_slice: dict[str, dict[str, dict[str, float]]], path: Path) -> None:
    """Draw the log loss of candidate and champion in each slice."""
    rows = [(f"{cut} {value}", losses) for cut, values in by_slice.items() for value, losses in values.items()]
    figure = Figure(figsize=(6, 0.3 * len(rows) + 1), layout="constrained")
    axes = figure.subplots()
    for name, colour in COLOURS.items():
        losses = [row[1].get(name, np.nan) for row in rows]
        axes.plot(losses, range(len(rows)), "o", color=colour, label=name)
    axes.set_yticks(range(len(rows)), [row[0] for row in rows])
    axes.invert_yaxis()
    axes.grid(axis="y", color="#eeeeee")
    axes.set(title="Log loss by slice on days not seen (left is better)")
    axes.legend()
    figure.savefig(path)


def draw(report: dict[str, Any], late: pd.Series, answers: dict[str, np.ndarray], folder: Path) -> None:
    """Draw both pictures into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    draw_calibration(late, answers, folder / "calibration.png")
    draw_slices(report["slices"], folder / "slices.png")
