"""What the champion learned from, in short: what live data are held against."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from mlflow.entities.model_registry import ModelVersion

from ..data.features import CATEGORIES, MEASURES
from ..data.snapshot import table_of
from ..registry import models
from ..training.model import late_probability

SAMPLE = 3_000  # flights: enough for a distribution, few enough to compare with every day
SMALLEST_SHIFT = 0.5  # standard deviations of a column: a smaller change overnight is never suspicious
SMALLEST_GAP = 0.05  # share of flights, likewise


@dataclass(frozen=True)
class Reference:
    """The training data of one champion, summed up."""

    last_day: str
    low: "pd.Series[float]"  # by column: the values that all but one flight in a thousand were above
    high: "pd.Series[float]"
    known: dict[str, frozenset[str]]  # by category
    jumps: "pd.Series[float]"  # the largest change between days that were as they should, by measure of `daily`
    sample: pd.DataFrame  # flights, with what the champion says about them


def reference(champion: ModelVersion, odd: Iterable[str] = ()) -> Reference:
    """Return what this champion learned from; computed once per version.

    Args:
        champion: the version.
        odd: days on which the feed went wrong or came back: learned from or not, they are no yardstick for others.
    """
    return _reference(champion.run_id, champion.source, champion.tags["snapshot"], tuple(odd))


@lru_cache(maxsize=2)
def _reference(run: str, source: str, md5: str, odd: tuple[str, ...]) -> Reference:
    table = pd.read_parquet(table_of(run, md5))
    sample = table.sample(min(SAMPLE, len(table)), random_state=0)
    said = late_probability(models.load(source), sample)
    smallest = pd.concat(
        [
            (SMALLEST_SHIFT * table[MEASURES].std()).add_prefix("mean "),
            pd.Series(SMALLEST_GAP, index=[f"missing {name}" for name in MEASURES]),
        ]
    )
    changes = daily(table).diff().abs().drop(index=list(odd), errors="ignore").max()
    return Reference(
        last_day=str(table["scheduled_departure"].max().date()),
        low=table[MEASURES].quantile(0.001),
        high=table[MEASURES].quantile(0.999),
        known={name: frozenset(table[name]) for name in CATEGORIES},
        jumps=changes.clip(lower=smallest),
        sample=sample.assign(late_probability=said),
    )


def daily(flights: pd.DataFrame) -> pd.DataFrame:
    """Return mean and missing share of every measure, one row per day (`2013-03-01`)."""
    day, values = flights["scheduled_departure"].dt.strftime("%Y-%m-%d"), flights[MEASURES]
    means, missing = values.groupby(day).mean(), values.isna().groupby(day).mean()
    return pd.concat([means.add_prefix("mean "), missing.add_prefix("missing ")], axis=1)


def beyond(flights: pd.DataFrame, known: Reference) -> np.ndarray:
    """Tell of each flight whether the champion never saw the like: a value out of its range, a new category."""
    values = flights[MEASURES]
    out = (values.lt(known.low) | values.gt(known.high)).any(axis=1)
    for name in CATEGORIES:
        out |= ~flights[name].isin(known.known[name])
    return out.to_numpy()
