"""Data drift: how the newest days differ from the days before, as a report that no decision uses."""

import pandas as pd
from scipy.stats import ks_2samp

from ..config.problem import OUTCOME
from .features import NUMERIC


def drift_of(past: pd.DataFrame, recent: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Compare the numbers of the past with those of the newest days.

    Returns:
        By column: the share of missing values, the mean, and the Kolmogorov-Smirnov statistic, from 0 (the same
        distribution) to 1 (no overlap); only the share where one side has no values.
    """
    return {name: _compare(past[name], recent[name]) for name in [*NUMERIC, OUTCOME]}


def _compare(past: "pd.Series[float]", recent: "pd.Series[float]") -> dict[str, float]:
    facts = {"missing_before": float(past.isna().mean()), "missing_lately": float(recent.isna().mean())}
    before, lately = past.dropna(), recent.dropna()
    if before.empty or lately.empty:
        return facts
    facts |= {"mean_before": float(before.mean()), "mean_lately": float(lately.mean())}
    return facts | {"kolmogorov_smirnov": float(ks_2samp(before, lately, method="asymp").statistic)}
