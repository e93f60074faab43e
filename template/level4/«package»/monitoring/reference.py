"""The reference: a summary of the champion's training data, with which live data are compared."""

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
from mlflow.entities.model_registry import ModelVersion

from ..config import paths
from ..config.problem import DERIVED, OUTCOME, TIME
from ..data.features import CATEGORICAL, NUMERIC, make_features
from ..data.snapshot import table_of
from ..registry import models
from ..training.model import «prediction»

SAMPLE = 3_000  # instances: enough for a distribution, few enough to compare with every day
MIN_SHIFT = 0.5  # standard deviations of a column: a smaller change overnight is never suspicious
MIN_GAP = 0.05  # share of instances, likewise
SUMMARIES = "numeric", "categorical", "daily", "sample"  # of a training table, a file each


@dataclass(frozen=True)
class Reference:
    """The training data of one champion, summarized."""

    last_day: str
    low: "pd.Series[float]"  # by column: the quantile of 0.1 %
    high: "pd.Series[float]"  # by column: the quantile of 99.9 %
    categories: dict[str, frozenset[str]]  # by column: the values that occurred
    largest_jumps: "pd.Series[float]"  # by statistic of `daily`: the largest change from one day to the next
    sample: pd.DataFrame  # instances, with the champion's predictions


def reference(champion: ModelVersion) -> Reference:
    """Return the reference of this champion.

    Its training table is read once and summarized in files: a day must cost the same however long the table is.
    """
    folder = paths.RUNS / champion.run_id / "reference"
    if not folder.exists():
        _summarize(champion, folder)
    numeric, categorical, days, sample = (pd.read_parquet(folder / f"{name}.parquet") for name in SUMMARIES)
    smallest = pd.concat(
        [
            (MIN_SHIFT * numeric["deviation"]).add_prefix("mean "),
            pd.Series(MIN_GAP, index=[f"missing {name}" for name in NUMERIC]),
        ]
    )
    changes = days.diff().abs().max()
    return Reference(
        last_day=str(days.index[-1]),
        low=numeric["low"],
        high=numeric["high"],
        categories={str(name): frozenset(values) for name, values in categorical["values"].items()},
        largest_jumps=changes.clip(lower=smallest),
        sample=sample,
    )


def _summarize(champion: ModelVersion, folder: Path) -> None:
    """Write what references need of the training table of a version, all files or none."""
    columns = [TIME, *CATEGORICAL, *NUMERIC, OUTCOME]
    table = pd.read_parquet(table_of(champion.run_id, champion.tags["snapshot"]), columns=columns)
    numbers, sample = table[NUMERIC], table.sample(min(SAMPLE, len(table)), random_state=0)
    low, high = numbers.quantile(0.001), numbers.quantile(0.999)
    summaries = {
        "numeric": pd.DataFrame({"low": low, "high": high, "deviation": numbers.std()}),
        "categorical": pd.DataFrame({"values": {name: table[name].unique() for name in CATEGORICAL}}),
        "daily": daily(table),
        "sample": sample.assign(«prediction»=«prediction»(models.load(champion.source), sample)),
    }
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent) as part:
        whole = Path(part, folder.name)
        whole.mkdir()
        for name in SUMMARIES:
            summaries[name].to_parquet(whole / f"{name}.parquet")
        whole.rename(folder)


def with_derived(instances: pd.DataFrame) -> pd.DataFrame:
    """Return the instances with the features that are watched beside the published columns."""
    features = make_features(instances)
    return instances.assign(**{name: features[name] for name in DERIVED})


def daily(instances: pd.DataFrame) -> pd.DataFrame:
    """Return the mean and the missing share of every numeric column, one row per day (`2013-03-01`)."""
    day, values = instances[TIME].dt.normalize(), instances[NUMERIC]
    means, missing = values.groupby(day).mean(), values.isna().groupby(day).mean()
    by_day = pd.concat([means.add_prefix("mean "), missing.add_prefix("missing ")], axis=1)
    return by_day.set_axis(pd.DatetimeIndex(by_day.index).strftime("%Y-%m-%d"))
