"""The plots of a candidate beside the champion: calibration and loss by slice."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
«% if kind == "binary" %»
from sklearn.calibration import calibration_curve
«% else %»
«% endif %»

COLORS = {"candidate": "#4477aa", "champion": "#cc6677"}


def draw_calibration(label: pd.Series, predictions: dict[str, np.ndarray], path: Path) -> None:
    """Draw the calibration curve: what was observed against what was predicted."""
    figure = Figure(figsize=(4.5, 4.5), layout="constrained")
    axes = figure.subplots()
«% if kind == "binary" %»
    axes.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1)
    for name, predicted in predictions.items():
        observed_share, predicted_share = calibration_curve(label, predicted, n_bins=10, strategy="quantile")
        axes.plot(predicted_share, observed_share, marker="o", color=COLORS[name], label=name)
    axes.set(xlabel="predicted share", ylabel="observed share", title="Calibration on held-out days")
«% else %»
    for name, predicted in predictions.items():
        bins = pd.qcut(pd.Series(predicted), 10, duplicates="drop")
        means = pd.DataFrame({"predicted": predicted, "observed": label.to_numpy()}).groupby(bins, observed=True).mean()
        axes.plot(means["predicted"], means["predicted"], color="#bbbbbb", linewidth=1)
        axes.plot(means["predicted"], means["observed"], marker="o", color=COLORS[name], label=name)
    axes.set(xlabel="predicted mean", ylabel="observed mean", title="Calibration on held-out days")
«% endif %»
    axes.legend()
    figure.savefig(path)


def draw_slices(by_slice: dict[str, dict[str, dict[str, float]]], path: Path) -> None:
    """Draw the loss of candidate and champion in each slice."""
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
    axes.set(title="Loss by slice on held-out days (left is better)")
    axes.legend()
    figure.savefig(path)


def draw(report: dict[str, Any], label: pd.Series, predictions: dict[str, np.ndarray], folder: Path) -> None:
    """Draw both plots into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    draw_calibration(label, predictions, folder / "calibration.png")
    draw_slices(report["slices"], folder / "slices.png")
