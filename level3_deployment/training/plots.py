"""The plots of a candidate beside the champion: calibration and loss by slice."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve

COLORS = {"candidate": "#4477aa", "champion": "#cc6677"}


def draw_calibration(late: pd.Series, predictions: dict[str, np.ndarray], path: Path) -> None:
    """Draw the calibration curve: the share of late flights against the predicted probability."""
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for name, predicted in predictions.items():
        observed_share, predicted_share = calibration_curve(late, predicted, n_bins=10, strategy="quantile")
        axes.plot(predicted_share, observed_share, marker="o", color=COLORS[name], label=name)
    axes.set(xlabel="predicted share late", ylabel="observed share late", title="Calibration on held-out days")
    axes.legend()
    figure.savefig(path)


def draw_slices(by_slice: dict[str, dict[str, dict[str, float]]], path: Path) -> None:
    """Draw the log loss of candidate and champion in each slice."""
    rows = [
        (f"{column} {value}", losses) for column, values in by_slice.items() for value, losses in values.items()
    ]
    figure = Figure(figsize=(6, 0.3 * len(rows) + 1), layout="constrained")
    axes = figure.subplots()
    for name, color in COLORS.items():
        losses = [row[1].get(name, np.nan) for row in rows]
        axes.plot(losses, range(len(rows)), "o", color=color, label=name)
    axes.set_yticks(range(len(rows)), [row[0] for row in rows])
    axes.invert_yaxis()
    axes.grid(axis="y", color="#eeeeee")
    axes.set(title="Log loss by slice on held-out days (left is better)")
    axes.legend()
    figure.savefig(path)


def draw(report: dict[str, Any], late: pd.Series, predictions: dict[str, np.ndarray], folder: Path) -> None:
    """Draw both plots into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    draw_calibration(late, predictions, folder / "calibration.png")
    draw_slices(report["slices"], folder / "slices.png")
