"""The reference: a summary of the champion's training data, with which live data are compared."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from mlflow.entities.model_registry import ModelVersion

from ..data.features import CATEGORICAL, NUMERIC
from ..data.snapshot import table_of
from ..registry import models
from ..training.model import late_probability

SAMPLE = 3_000  # flights: enough for a distribution, few enough to compare with every day
MIN_SHIFT = 0.5  # standard deviations of a column: a smaller change overnight is never suspicious
MIN_GAP = 0.05  # share of flights, likewise


@dataclass(frozen=True)
class Reference:
    """The training data of one champion, summarized."""

    last_day: str
    low: "pd.Series[float]"  # by column: the quantile of 0.1 %
    high: "pd.Series[float]"  # by column: the quantile of 99.9 %
    categories: dict[str, frozenset[str]]  # by column: the values that occurred
    largest_jumps: "pd.Series[float]"  # by statistic of `daily`: the largest change from one day to the next
    sample: pd.DataFrame  # flights, with the champion's predictions


def reference(champion: ModelVersion, excluded_days: Iterable[str] = ()) -> Reference:
    """Return the reference of this champion; computed once per version.

    Args:
        champion: the version.
        excluded_days: days on which the feed broke or recovered; their jumps do not count.
    """
    return _reference(champion.run_id, champion.source, champion.tags["snapshot"], tuple(excluded_days))


@lru_cache(maxsize=2)
def _reference(run: str, source: str, md5: str, excluded_days: tuple[str, ...]) -> Reference:
    table = pd.read_parquet(table_of(run, md5))
    sample = table.sample(min(SAMPLE, len(table)), random_state=0)
    predicted = late_probability(models.load(source), sample)
    smallest = pd.concat(
        [
            (MIN_SHIFT * table[NUMERIC].std()).add_prefix("mean "),
            pd.Series(MIN_GAP, index=[f"missing {name}" for name in NUMERIC]),
        ]
    )
    changes = daily(table).diff().abs().drop(index=list(excluded_days), errors="ignore").max()
    return Reference(
        last_day=str(table["scheduled_departure"].max().date()),
        low=table[NUMERIC].quantile(0.001),
        high=table[NUMERIC].quantile(0.999),
        categories={name: frozenset(table[name]) for name in CATEGORICAL},
        largest_jumps=changes.clip(lower=smallest),
        sample=sample.assign(late_probability=predicted),
    )


def daily(flights: pd.DataFrame) -> pd.DataFrame:
    """Return the mean and the missing share of every numeric column, one row per day (`2013-03-01`)."""
    day, values = flights["scheduled_departure"].dt.strftime("%Y-%m-%d"), flights[NUMERIC]
    means, missing = values.groupby(day).mean(), values.isna().groupby(day).mean()
    return pd.concat([means.add_prefix("mean "), missing.add_prefix("missing ")], axis=1)


def out_of_range(flights: pd.DataFrame, reference: Reference) -> np.ndarray:
    """Tell of each flight whether it lies outside the training data: a value out of range, or a new category."""
    values = flights[NUMERIC]
    outside = (values.lt(reference.low) | values.gt(reference.high)).any(axis=1)
    for name in CATEGORICAL:
        outside |= ~flights[name].isin(reference.categories[name])
    return outside.to_numpy()
