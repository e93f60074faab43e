"""The feed of today, measured before any of it is answered: what jumped is put right, or left out of trainings.

Evidently measures the published instances; the policy says how much is too much. What is wrong is put right if the
instances then look like those of the last good day, and a transform is known that does it.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from evidently import DataDefinition, Dataset, Report
from evidently.metrics import MeanValue, MissingValueCount, OutListValueCount, OutRangeValueCount, ValueDrift
from mlflow.entities.model_registry import ModelVersion

from ..config import paths
from ..config.database import Database
from ..config.policy import Feed as Limits
from ..config.policy import Policy
from ..config.problem import DERIVED, ID, RESTLESS, ROWS
from ..data import corrections, tables
from ..data.corrections import Correction, put_right
from ..data.faults import TRANSFORMS
from ..data.features import CATEGORICAL, NUMERIC
from ..data.schema import Instance
from ..data.tables import BadTableError
from ..errors import StageError
from ..operations.readiness import wait_until_served
from ..registry import models
from . import store
from .dates import before
from .reference import Reference, reference, with_derived

WEEKS_BACK, DAYS_BACK = 4, 14
INDEX = "__index_level_"  # how pandas calls an index that it writes as a column
FEED = "feed"  # the model under whose name metrics of the feed are kept

Statistics = dict[str, float]  # by name, such as `mean temp`


@dataclass(frozen=True)
class Examined:
    """What came of the examination of a day's instances."""

    correction: Correction
    statistics: Statistics = field(default_factory=dict)  # after the correction
    suspicious: Statistics = field(default_factory=dict)  # before it: by how much each is beyond its limit
    incomplete: Statistics = field(default_factory=dict)  # share of the usual rows, where that is low


def examine(day: str, reference: Reference, good: Statistics, limits: Limits) -> Examined:
    """Examine the instances published for a day.

    Args:
        day: as in 2013-03-01.
        reference: of the champion.
        good: the statistics of the last day on which each was not suspicious.
        limits: of the policy.

    Raises:
        BadTableError: there are no instances, or they are no table of instances.
    """
    path = paths.DATA / ROWS / f"{day}.parquet"
    if not path.exists():
        raise BadTableError(f"{ROWS}/{path.name} has not been collected")
    renamed = _renamed([name for name in pq.read_schema(path).names if not name.startswith(INDEX)])
    instances = corrections.read_instances(path, renamed)
    if instances.empty:
        raise BadTableError(f"{ROWS}/{path.name} has no rows")
    now = statistics(instances, reference)
    suspicious = beyond(now, good, reference, limits)
    transforms: list[str] = []
    spoilt = columns_of(suspicious)
    for name, undo in TRANSFORMS.items():
        if not spoilt & undo.keys():
            continue
        right = put_right(instances, [name])
        after = statistics(right, reference)
        still = columns_of(beyond(after, good, reference, limits))
        if not still & undo.keys():
            instances, now, spoilt = right, after, still
            transforms.append(name)
    correction = Correction(corrections.sha256_of(paths.DATA, day), renamed, transforms, sorted(spoilt))
    return Examined(correction, now, suspicious, incomplete(day, instances, limits))


def _renamed(columns: list[str]) -> dict[str, str]:
    """Return the column that has another name, if exactly one is missing and exactly one is unknown."""
    unknown, missing = set(columns) - Instance.model_fields.keys(), Instance.model_fields.keys() - set(columns)
    return dict(zip(unknown, missing, strict=True)) if len(unknown) == len(missing) == 1 else {}


def statistics(instances: pd.DataFrame, reference: Reference) -> Statistics:
    """Measure a day's instances with Evidently: means, missing values, values out of range, and distances.

    `out of range age` is the share of instances outside the range of the training data, `distance plan` the
    population stability index between the day and a sample of the training data.
    """
    numeric, categorical = [*NUMERIC, *DERIVED], list(CATEGORICAL)
    tables = [
        with_derived(table)[[*numeric, *categorical]].reset_index(drop=True)
        for table in (instances, reference.sample)
    ]
    kinds = DataDefinition(numerical_columns=numeric, categorical_columns=categorical)
    metrics = {f"mean {name}": MeanValue(column=name) for name in NUMERIC}
    metrics |= {f"missing {name}": MissingValueCount(column=name) for name in NUMERIC}
    for name in NUMERIC:
        low, high = float(reference.low[name]), float(reference.high[name])
        metrics[f"out of range {name}"] = OutRangeValueCount(column=name, left=low, right=high)
    for name in CATEGORICAL:
        metrics[f"new {name}"] = OutListValueCount(column=name, values=sorted(reference.categories[name]))
    for name in (*DERIVED, *CATEGORICAL):
        metrics[f"distance {name}"] = ValueDrift(column=name, method="psi")
    now, before_ = (Dataset.from_pandas(table, data_definition=kinds) for table in tables)
    measured = Report(list(metrics.values())).run(now, before_).dict()["metrics"]
    values = (metric["value"] for metric in measured)
    return {
        name: float(value["share"] if isinstance(value, dict) else value)
        for name, value in zip(metrics, values, strict=True)
    }


def beyond(now: Statistics, good: Statistics, reference: Reference, limits: Limits) -> Statistics:
    """Return the statistics that are beyond their limits, each as a multiple of its limit."""
    ratios: Statistics = {}
    for name, value in now.items():
        kind, _, column = name.rpartition(" ")
        if kind in ("mean", "missing") and name in good and name not in RESTLESS:
            jump = abs(value - good[name]) / float(reference.largest_jumps[name])
            ratios[name] = jump / limits.max_jump_ratio
        elif kind == "out of range":
            ratios[name] = value / limits.max_out_of_range_share
        elif kind == "distance" and column in limits.max_distances:
            ratios[name] = value / limits.max_distances[column]
    return {name: round(ratio, 2) for name, ratio in ratios.items() if ratio > 1}




def columns_of(suspicious: Statistics) -> set[str]:
    """Return the published columns that these statistics are about."""
    columns: set[str] = set()
    for _, _, column in (name.rpartition(" ") for name in suspicious):
        columns.add(DERIVED.get(column, column))
    return columns


def incomplete(day: str, instances: pd.DataFrame, limits: Limits) -> Statistics:
    """Return where far fewer instances are published than on this weekday of the last weeks."""
    usual = []
    for weeks in range(1, WEEKS_BACK + 1):
        path = paths.DATA / ROWS / f"{before(day, 7 * weeks)}.parquet"
        with suppress(StageError, OSError):  # there is none, or it is an odd one
            usual.append(len(tables.read([path], {ID: "string"})))
    if not usual:
        return {}
    share = len(instances) / float(np.median(usual))
    return {"all": round(share, 2)} if share < limits.min_rows_share else {}




def examine_today(day: str, champion: ModelVersion, policy: Policy) -> Examined:
    """Examine today's instances; correct them, in the service and in trainings, and keep what was measured."""
    known = corrections.read(paths.DATA)
    known = {past: each for past, each in known.items() if each.sha256 == corrections.sha256_of(paths.DATA, past)}
    with store.open_store(paths.METRICS_STORE) as connection:
        training, good = reference(champion), last_good(connection, day, known)
        examined = examine(day, training, good, policy.feed)
        measured = {("level", name): value for name, value in examined.statistics.items()}
        store.write(connection, day, FEED, measured)
        drifted = [
            value for name, value in examined.statistics.items() if name.startswith(("out of range", "new"))
        ]
        unlike = {("out_of_range_share", store.ALL): float(np.nanmax(drifted))}  # NaN: a column was empty
        store.write(connection, day, models.served_as(champion), unlike)
    correction = examined.correction
    corrections.write(paths.DATA, known | ({day: correction} if correction else {}))
    needed = correction.renamed or correction.transforms
    repair = {"id": day, "renamed": correction.renamed, "transforms": correction.transforms} if needed else {}
    models.tag_model("repair", json.dumps(repair))
    wait_until_served("repair", day if needed else None)  # or requests would come before it
    return examined


def last_good(connection: Database, day: str, known: Mapping[str, Correction]) -> Statistics:
    """Return each statistic of the last day on which its column was as it should be."""
    good: Statistics = {}
    for past in (before(day, days) for days in range(1, DAYS_BACK + 1)):
        spoilt = known[past].missing if past in known else []
        measured = store.by_slice(connection, FEED, past, "level")
        fine = {name: value for name, value in measured.items() if not columns_of({name: value}) & set(spoilt)}
        good = fine | good
    return good
