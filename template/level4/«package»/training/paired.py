"""The paired difference between two models on the same instances, with an error that holds for days to come."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student


@dataclass(frozen=True)
class Difference:
    """The mean excess loss of one model over another; below 0 it is the better one."""

    mean: float
    error: float  # standard error, clustered by day
    days: int

    def upper(self, confidence: float) -> float:
        """Return the bound that the true difference is below with this confidence (one-sided)."""
        return self.mean + self._quantile(confidence) * self.error

    def lower(self, confidence: float) -> float:
        """Return the bound that the true difference is above with this confidence (one-sided)."""
        return self.mean - self._quantile(confidence) * self.error

    def _quantile(self, confidence: float) -> float:
        return float(student.ppf(confidence, max(1, self.days - 1)))

    def __str__(self) -> str:
        """Return the difference with its 95 % interval, which one day does not have."""
        if self.days < 2:
            return f"{self.mean:+.4f} on a single day"
        return f"{self.mean:+.4f} ± {self.upper(0.975) - self.mean:.4f}"


def paired_difference(excess: np.ndarray, days: np.ndarray) -> Difference:
    """Return the mean of the excess loss of each instance, with its standard error.

    The instances of a day share what the day brings: what one model gains on the other varies from day to day, and more
    instances a day do not make it more certain. So the days are the clusters, and there must be two at least.
    Source: Cameron and Miller, "A Practitioner's Guide to Cluster-Robust Inference", Journal of Human Resources
    50(2), 2015.

    Args:
        excess: loss of one model minus that of the other, instance by instance.
        days: the day of each instance.
    """
    _, clusters = np.unique(days, return_inverse=True)
    sums = np.bincount(clusters, weights=excess - excess.mean())
    count = len(sums)
    error = np.sqrt((sums**2).sum() * count / (count - 1)) / len(excess) if count > 1 else np.inf
    return Difference(float(excess.mean()), float(error), count)
