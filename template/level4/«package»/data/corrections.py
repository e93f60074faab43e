"""Corrections: what was wrong with the instances published on a day, and how they are read all the same.

What was published stays as it is. Requests of the day are corrected before they are predicted, and trainings
correct what they read, so that a fault of the feed is no reason to wait.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from ..config.files import write_text
from ..config.problem import ID, ROWS, TIME
from . import tables
from .faults import TRANSFORMS

FILE = "corrections.json"  # beside the collected files: by day, what was wrong with its instances


@dataclass(frozen=True)
class Correction:
    """What was wrong with a day's instances."""

    sha256: str  # of the file as published: published again, it has to be examined again
    renamed: dict[str, str] = field(default_factory=dict)  # the published name of a column, and its name
    transforms: list[str] = field(default_factory=list)  # the known faults that were undone
    missing: list[str] = field(default_factory=list)  # columns that nobody can put right: trainings do without

    def __bool__(self) -> bool:
        """Tell whether anything was wrong."""
        return bool(self.renamed or self.transforms or self.missing)

    def __str__(self) -> str:
        """Return in words what was wrong, and what was done about it."""
        words = [f"{old} is read as {new}" for old, new in self.renamed.items()]
        words += [f"{' and '.join(TRANSFORMS[name])} published as {name}: put right" for name in self.transforms]
        if self.missing:
            words.append(f"{', '.join(self.missing)} left out of trainings")
        return "; ".join(words)


def put_right(instances: pd.DataFrame, names: list[str]) -> pd.DataFrame:
    """Undo known faults in a table of instances."""
    for name in names:
        instances = instances.assign(**{column: undo(instances[column]) for column, undo in TRANSFORMS[name].items()})
    return instances


def read(data: Path) -> dict[str, Correction]:
    """Return the corrections of the collected files, by day (`2013-03-01`)."""
    path = data / FILE
    if not path.exists():
        return {}
    return {day: Correction(**entry) for day, entry in json.loads(path.read_text()).items()}


def write(data: Path, corrections: Mapping[str, Correction]) -> None:
    """Keep the corrections of the collected files."""
    write_text(data / FILE, json.dumps({day: asdict(entry) for day, entry in corrections.items()}, indent=1))


def sha256_of(data: Path, day: str) -> str:
    """Return the hash of a day's instances as published; empty if there are none."""
    path = data / ROWS / f"{day}.parquet"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def read_instances(path: Path, renamed: Mapping[str, str]) -> pd.DataFrame:
    """Return a file of instances, with the names and types of the schema; a column that is not there is empty.

    Args:
        path: the file as published.
        renamed: the published name of a column, and its name.

    Raises:
        BadTableError: naming the column that is something else.
    """
    published_as = {name: published for published, name in renamed.items()}
    kinds = {published_as.get(name, name): kind for name, kind in tables.INSTANCES.items()}
    there = set(pq.read_schema(path).names)
    table = tables.read([path], {name: kind for name, kind in kinds.items() if name in there})
    return table.rename(columns=renamed).reindex(columns=list(tables.INSTANCES))


def corrected(table: pd.DataFrame, data: Path) -> pd.DataFrame:
    """Return a table of collected instances with what was wrong put right, or missing."""
    for day, correction in read(data).items():
        if correction.sha256 != sha256_of(data, day):  # published again: it has to be examined again
            continue
        here = table[ID].isin(read_instances(data / ROWS / f"{day}.parquet", correction.renamed)[ID])
        if here.any():
            instances = put_right(table[here], correction.transforms)
            spoilt = [name for name in correction.missing if name != TIME]
            instances = instances.assign(**dict.fromkeys(spoilt, np.nan))
            if TIME in correction.missing:  # without it, an instance is of no use
                instances = instances.head(0)
            table = pd.concat([table[~here], instances])
    return table
