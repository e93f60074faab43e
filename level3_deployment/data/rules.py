"""What no feature may be made from, and whom no table holds: who asks to be deleted is in no further snapshot.

What was made before is not reached: earlier snapshots with their runs and models, and the files as published.
"""

import hashlib
from functools import reduce
from pathlib import Path

import pandas as pd

from ..config.files import write_text
from ..config.problem import BANNED, NAME, ROWS, WHO
from ..errors import RefusedError, StageError
from . import tables
from .features import make_features

FORGOTTEN = "forgotten.txt"  # beside the collected data: hashes, since a list of names would remember them
ENOUGH = 1000  # rows, to see what a feature is made from


def sample(table: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Return so many rows or a few more, from all over a table."""
    return table.iloc[:: max(1, len(table) // rows)]


def sources(table: pd.DataFrame) -> dict[str, set[str]]:
    """Return the columns that each feature is made from: it changes when such a column is turned around."""
    few = sample(table, ENOUGH)
    usual = {name: pd.Series(values) for name, values in make_features(few).items()}
    found: dict[str, set[str]] = {name: set() for name in usual}
    for column in map(str, few):
        turned = make_features(few.assign(**{column: few[column].to_numpy()[::-1]}))
        for name in [name for name in usual if not usual[name].equals(pd.Series(turned[name]))]:
            found[name].add(column)
    return found


def check_features(table: pd.DataFrame) -> None:
    """Refuse a training if a feature is made from a banned column.

    Raises:
        RefusedError: naming the feature and the column.
    """
    for name, columns in sources(table).items():
        if banned := columns & set(BANNED):
            raise RefusedError(f"no model was trained: {name} is made from {', '.join(banned)}, which is banned")


def forget(who: str, data: Path) -> int:
    """Remember, by a salted hash, whom to leave out; return how many rows are about them.

    Raises:
        StageError: none is.
    """
    rows = _who(tables.read((data / ROWS).glob("*.parquet"), {name: tables.FLIGHTS[name] for name in WHO}))
    if not (count := int((rows == who).sum())):
        raise StageError(f"no row is about {who!r}: write {' and '.join(WHO)}, with a space between")
    write_text(data / FORGOTTEN, "\n".join(sorted(_forgotten(data) | {_hash(who)})))
    return count


def leave_out(table: pd.DataFrame, data: Path) -> pd.DataFrame:
    """Return the rows of a table that are about nobody who is to be forgotten."""
    if not (forgotten := _forgotten(data)):
        return table
    who = _who(table)
    return table[~who.isin([name for name in who.unique() if _hash(name) in forgotten])]


def _who(table: pd.DataFrame) -> "pd.Series[str]":
    return reduce(lambda one, other: one + " " + other, (table[name].astype(str) for name in WHO))


def _hash(who: str) -> str:
    return hashlib.sha256(f"{NAME}/{who}".encode()).hexdigest()


def _forgotten(data: Path) -> set[str]:
    path = data / FORGOTTEN
    return set(path.read_text().split()) if path.exists() else set()
