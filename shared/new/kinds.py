"""What a column holds: numbers, which may be written as yes and no, or dates."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from .table import is_text

WORDS = ({"true": 1.0, "false": 0.0}, {"yes": 1.0, "no": 0.0}, {"y": 1.0, "n": 0.0})
DATE = r"\d{4}-\d{1,2}-\d{1,2}|\d{1,4}([./-])\d{1,2}\1\d{2,4}|\d{1,2}[ -][A-Za-z]{3,9}[ -]\d{4}"
DAY_AND_MONTH = r"^(\d{1,2})[./-](\d{1,2})[./-]\d{2,4}"
OFFSET = r"(:\d\d(?:\.\d+)?)\s*(Z|[+-]\d\d(?::?\d\d)?)$"  # what comes before it, and the offset from UTC
ENOUGH = 0.95  # of the cells that are not empty have to be dates


@dataclass(frozen=True)
class Dates:
    """A column of dates, in the local time that they are written in."""

    moments: "pd.Series[pd.Timestamp]"
    dayfirst: bool = False
    ambiguous: bool = False  # as 03/04/2024 is, if all others are like it
    offsets: tuple[str, ...] = ()  # from UTC; "none" among others if some times have one and some have not

    @property
    def days(self) -> "pd.Series[pd.Timestamp]":
        """Return the day of each row that has one."""
        return self.moments.dropna().dt.normalize()


def as_numbers(column: "pd.Series[Any]") -> "pd.Series[float] | None":
    """Return numbers, booleans, and yes and no as numbers; None if a column is something else."""
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_complex_dtype(column):
        return column.astype(float).replace([np.inf, -np.inf], np.nan)
    if pd.api.types.infer_dtype(column, skipna=True) == "boolean":
        return column.astype(float)
    if is_text(column):
        words = column.str.lower()
        for pair in WORDS:
            if words.notna().any() and words.dropna().isin(list(pair)).all():
                return words.map(pair).astype(float)
    return None


def as_dates(column: "pd.Series[Any]") -> Dates | None:
    """Return a column as dates if nearly all of it is; None if it is something else."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return Dates(column.dt.tz_localize(None), offsets=(str(column.dt.tz),))
    if pd.api.types.is_datetime64_dtype(column):
        return Dates(column)
    return _read_dates(column) if is_text(column) and column.notna().any() else None


def _read_dates(column: "pd.Series[Any]") -> Dates | None:
    counts = column.value_counts()
    texts = pd.Series(counts.index, dtype=object)
    if not _enough(texts.str.match(DATE), counts):
        return None
    dayfirst, ambiguous = _order(texts)
    offsets = texts.str.extract(OFFSET)[1]
    bare = texts.str.replace(OFFSET, r"\1", regex=True)
    moments = pd.Series(pd.to_datetime(bare, format="mixed", dayfirst=dayfirst, errors="coerce"))
    if not _enough(moments.notna(), counts):
        return None
    written = sorted(offsets.dropna().unique())
    if written and offsets[moments.notna()].isna().any():
        written.append("none")
    read = column.map(dict(zip(texts, moments, strict=True)))
    return Dates(pd.to_datetime(read), dayfirst, ambiguous, tuple(written))


def _order(texts: "pd.Series[str]") -> tuple[bool, bool]:
    """Tell whether the day comes before the month, and whether that was a guess."""
    first, second = texts.str.extract(DAY_AND_MONTH).dropna().astype(int).T.to_numpy()
    if (first > 12).any() or (second > 12).any() or not len(first):
        return bool((first > 12).any()), False
    return bool(texts.str.match(r"\d{1,2}\.").any()), True  # with dots, the day comes first as a rule


def _enough(good: "pd.Series[bool]", counts: "pd.Series[int]") -> bool:
    return bool(counts[good.to_numpy(dtype=bool)].sum() >= ENOUGH * counts.sum())
