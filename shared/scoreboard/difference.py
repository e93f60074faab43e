"""A mean difference between two ways to answer the same flights, with an error that knows what flights share.

The flights of a day wait for the same storm, and the days of a week are alike: their differences are not drawn
independently, and an error that takes them as such is several times too small. The one here is cluster-robust.
With n flights in G clusters it is

    sqrt(G / (G - 1) * sum over the clusters of (sum of deviations from the mean)^2) / n

(Cameron and Miller 2015, "A Practitioner's Guide to Cluster-Robust Inference", Journal of Human Resources 50(2)).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MEASURABLE = 2.0  # |t| above this: a difference that chance alone makes once in twenty times


@dataclass(frozen=True)
class Difference:
    """A mean difference, for each flight; its standard error, where there is more than one cluster."""

    mean: float
    error: float | None
    clusters: int

    @property
    def t(self) -> float | None:
        """Return how many errors the mean is away from nothing; None where the error is nothing or not known."""
        return self.mean / self.error if self.error else None

    def figures(self) -> dict[str, Any]:
        """Return it as it is published."""
        error = None if self.error is None else round(self.error, 4)
        t = round(self.t, 2) if error and self.t is not None else None
        mean = round(self.mean, 4) + 0.0  # without the sign of a zero
        return {"mean": mean, "error": error, "t": t, "clusters": self.clusters}


def of_sums(sums: "pd.Series[float]", sizes: "pd.Series[int]") -> Difference:
    """Return the mean difference, given each cluster's sum of differences and number of flights."""
    count, clusters = int(sizes.sum()), len(sums)
    mean = float(sums.sum() / count)
    if clusters < 2:
        return Difference(mean, None, clusters)
    deviations = (sums - mean * sizes).to_numpy()
    error = float(np.sqrt(clusters / (clusters - 1) * np.square(deviations).sum()) / count)
    return Difference(mean, error if error > 1e-12 else 0.0, clusters)


def clustered(differences: "pd.Series[float]", clusters: "pd.Series[str]") -> Difference | None:
    """Return the mean of the differences that are there, or None if none is; `clusters` says whose they are."""
    there = differences.dropna()
    if there.empty:
        return None
    grouped = there.groupby(clusters.loc[there.index])
    return of_sums(grouped.sum(), grouped.size())


def is_measurable(figures: dict[str, Any]) -> bool:
    """Tell whether a published difference is one, or may be chance."""
    return figures["t"] is not None and abs(figures["t"]) > MEASURABLE
