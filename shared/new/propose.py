"""Propose what a project needs to know about a table; every guess is put into words."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from .columns import baseline, describe, leaks, limits, usable
from .kinds import Dates, as_dates, as_numbers
from .names import with_clean_names
from .rows import find_id, find_time
from .table import TableError

MIN_ROWS = 200  # with an outcome: with fewer, no model can be told from another
SLICES, SLICE = 2, 12  # how many, and of how many values
POSITIVE = ("1", "true", "yes", "y")


@dataclass(frozen=True)
class Proposal:
    """What was found in a table; the notes say in words what was guessed and what was left out."""

    kind: str  # binary or regression
    id: str  # the names of these columns, as they are published
    time: str
    target: str
    sources: dict[str, str]  # by published name, the name in the team's own files; empty for what is made up
    positive: str  # how the files write the value that counts as 1
    negative: str  # and the one that counts as 0
    dayfirst: bool
    columns: list[dict[str, Any]]
    slices: list[str]
    baseline: str
    scale: float
    outcome_range: list[float]
    hours: bool  # the times have hours, and not only days
    rows_per_day: int
    days: int
    example: dict[str, Any]
    notes: list[str]


def propose(table: pd.DataFrame, target: str, id: str = "", time: str = "") -> Proposal:  # noqa: A002
    """Look at a table and propose all that a project needs to know about it.

    Args:
        table: as `read` returns it.
        target: the column to predict.
        id: the column that names a row; found or made up if it is empty.
        time: the column that says when a prediction is asked for; found or made up if it is empty.

    Raises:
        TableError: nothing can be predicted from this table; it says what to do.
    """
    named = with_clean_names(table)
    target = named.find("TARGET", target)
    row = named.find("ID", id) if id else ""
    time = named.find("TIME", time) if time else ""
    if target in (row, time) or (row and row == time):
        raise TableError("TARGET, ID and TIME have to be three different columns")
    outcome, positive, negative = _outcome(named.frame[target], named.own[target], named.notes)
    inputs = named.frame.drop(columns=target)
    dates = {str(name): found for name in inputs if name != row and (found := as_dates(inputs[name]))}
    time, when = find_time(named, time, dates, outcome.notna())
    row = find_id(named, inputs.drop(columns=time, errors="ignore"), row, dates)
    features = usable(named, inputs.drop(columns=[row, time], errors="ignore"), dates)
    if features.empty:
        raise TableError(f"no column is left to predict {target} from: {'; '.join(named.notes)}")
    leaking = leaks(named, features, outcome)
    a_day = when.days.value_counts()
    mean = f"{outcome.mean():.0%} of them {positive}" if positive else f"{outcome.mean():.4g} on average"
    named.notes.insert(
        0, f"{len(inputs):,} rows of {len(a_day)} days, {outcome.notna().sum():,} with an outcome, {mean}"
    )
    categories = features.select_dtypes(object)
    return Proposal(
        kind="binary" if positive else "regression",
        id=row,
        time=time,
        target=target,
        sources={name: named.own.get(name, "") for name in (row, time, *map(str, features), target)},
        positive=positive,
        negative=negative,
        dayfirst=when.dayfirst,
        columns=[describe(named, features[name]) for name in features],
        slices=[str(name) for name in categories if 2 <= categories[name].nunique() <= SLICE][:SLICES],
        baseline=baseline(features.drop(columns=leaking), outcome),
        scale=1.0 if positive else float(f"{outcome.std():.4g}"),
        outcome_range=[0, 1] if positive else list(limits(outcome)),
        hours=bool((when.moments.dropna().dt.normalize() != when.moments.dropna()).any()),
        rows_per_day=int(a_day.median()),
        days=len(a_day),
        example=_example(features, when, time, named.frame.get(row, pd.Series(dtype=str)).rename(row)),
        notes=named.notes,
    )


def _outcome(column: "pd.Series[Any]", own: str, notes: list[str]) -> tuple["pd.Series[float]", str, str]:
    """Return the outcomes as numbers, and what counts as 1 and as 0; both are empty if they are numbers."""
    values = column.value_counts()
    if values.sum() < MIN_ROWS:
        raise TableError(f"{own} is known in {values.sum()} rows, and {MIN_ROWS} are needed: add more")
    if len(values) == 1:
        raise TableError(f"{own} is {_text(values.index[0])} in all rows: add some that ended otherwise")
    if len(values) == 2:
        said = [value for value in values.index if _text(value).lower() in POSITIVE]
        positive = (said or [values.index[-1]])[0]
        why = "" if said else ", the rarer one"
        (negative,) = set(values.index) - {positive}
        notes.append(f"target: {own} is {_text(positive)} (1{why}) or {_text(negative)} (0)")
        return (column == positive).astype(float).where(column.notna()), _text(positive), _text(negative)
    numbers = as_numbers(column)
    if numbers is None:
        what = "dates" if as_dates(column) else f"{len(values):,} different texts"
        raise TableError(
            f"{own} has {what}, and a target is a number or has two values: add a column that says yes or no, "
            f"such as whether {own} is {values.index[0]}"
        )
    notes.append(f"target: {own} is a number, and {len(values):,} different ones occur")
    return numbers, "", ""


def _example(features: pd.DataFrame, when: Dates, time: str, ids: "pd.Series[Any]") -> dict[str, Any]:
    """Return a row as a request has it: the newest of those with the fewest empty cells."""
    empty = features.isna().sum(axis=1)[when.moments.notna()]
    row = empty[empty == empty.min()].index[-1]
    name = _text(ids[row]) if len(ids) else "row-000001"
    cells = {str(column): _json(features.at[row, column]) for column in features}
    return {str(ids.name): name, time: when.moments[row].isoformat(timespec="seconds"), **cells}


def _text(value: Any) -> str:
    """Return a value as a file has it: 1 and not 1.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _json(value: Any) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, str):
        return value
    return int(value) if float(value).is_integer() else float(value)
