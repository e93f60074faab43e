"""What a model may see: which columns it can take, what their values look like, and which give the target away."""

import math
from typing import Any

import numpy as np
import pandas as pd

from .kinds import Dates, as_numbers
from .names import Named
from .table import is_text

MAX_VALUES, MAX_SHARE, MAX_VALUES_OF_MANY = 50, 0.05, 200  # of a category
SHOWN_VALUES = 12
FEW_MISSING = 0.01
SMALL = 0.02  # as a share of the errors that are made without a column


def usable(table: Named, frame: pd.DataFrame, dates: dict[str, Dates]) -> pd.DataFrame:
    """Return the columns that a model can take, numbers as floats and categories as text; note the others."""
    columns: dict[str, pd.Series[Any]] = {}
    for name in map(str, frame.columns):
        column, distinct = frame[name], frame[name].nunique()
        if not distinct:
            table.leave_out(name, "empty")
        elif distinct == 1 and column.notna().all():
            table.leave_out(name, "the same in every row")
        elif name in dates:
            table.leave_out(name, "dates")
        elif (numbers := as_numbers(column)) is not None:
            columns[name] = numbers
        elif not is_text(column):
            table.leave_out(name, "neither numbers nor text")
        elif distinct > MAX_VALUES and distinct > min(MAX_SHARE * len(column), MAX_VALUES_OF_MANY):
            table.leave_out(name, f"{distinct:,} different texts")
        else:
            columns[name] = column.astype(object)
    return pd.DataFrame(columns, index=frame.index)


def describe(table: Named, column: "pd.Series[Any]") -> dict[str, Any]:
    """Return name, type and limits of a column."""
    name, missing = str(column.name), int(column.isna().sum())
    if 0 < missing < FEW_MISSING * len(column):
        table.notes.append(f"may be empty: {table.own[name]}, which is in {missing:,} of {len(column):,} rows")
    facts: dict[str, Any] = {"name": name, "type": "number", "nullable": missing > 0}
    present = column.dropna()
    if is_text(column):
        values = [str(value) for value in present.value_counts().index[:SHOWN_VALUES]]
        longest = max(20, 2 * int(present.str.len().max()))
        return facts | {
            "type": "category",
            "minimum": None,
            "maximum": None,
            "max_length": longest,
            "values": values,
        }
    minimum, maximum = limits(present)
    return facts | {"minimum": minimum, "maximum": maximum, "max_length": None, "values": []}


def limits(numbers: "pd.Series[float]") -> tuple[float, float]:
    """Return the least and the greatest number to accept, with room for ordinary new ones.

    That is one range beyond all that was observed: a request with a value beyond it is refused, and where many
    values are small, the largest of tomorrow may well be twice that of today.
    """
    low, high = float(numbers.min()), float(numbers.max())
    if set(numbers.unique()) <= {0.0, 1.0}:  # yes or no
        return 0.0, 1.0
    span = high - low or abs(high) or 1.0
    step = 10.0 ** (math.floor(math.log10(span)) - 1)
    minimum = 0.0 if low >= 0 else math.floor((low - span) / step) * step
    maximum = 0.0 if high <= 0 else math.ceil((high + span) / step) * step
    return min(low, float(f"{minimum:.12g}")), max(high, float(f"{maximum:.12g}"))


def leaks(table: Named, columns: pd.DataFrame, outcome: "pd.Series[float]") -> list[str]:
    """Return the columns that give the target away, and note each."""
    known = outcome.notna()
    found = [str(name) for name in columns if _gives_away(columns[name][known], outcome[known])]
    table.notes.extend(
        f"leaks? {table.own[name]} nearly gives the target away: is it known beforehand?" for name in found
    )
    return found


def baseline(columns: pd.DataFrame, outcome: "pd.Series[float]") -> str:
    """Return the number that says most about the outcome by itself; empty if there is no number."""
    numbers = columns.select_dtypes("number")
    return str(numbers.corrwith(outcome).abs().fillna(0).idxmax()) if len(numbers.columns) else ""


def _gives_away(column: "pd.Series[Any]", outcome: "pd.Series[float]") -> bool:
    """Tell whether nothing much of the outcome is left to guess once a column is known."""
    if is_text(column):
        return _determines(column, outcome)
    if column.nunique() <= MAX_VALUES:
        return _determines(column, outcome)
    ranks = column.fillna(column.min() - 1).rank()  # it may be filled in for one outcome only
    if set(outcome.unique()) != {0.0, 1.0}:
        return abs(float(ranks.corr(outcome.rank()))) > 1 - SMALL / 10
    positive = float(outcome.sum())
    area = (
        (float(ranks[outcome == 1].sum()) - positive * (positive + 1) / 2) / positive / (len(outcome) - positive)
    )
    return abs(area - 0.5) > 0.5 - SMALL / 4


def _determines(groups: "pd.Series[Any]", outcome: "pd.Series[float]") -> bool:
    """Tell whether outcomes hardly vary within groups."""
    within = outcome - outcome.groupby(groups, dropna=False).transform("mean")
    return bool(np.square(within).mean() <= SMALL * outcome.var())
