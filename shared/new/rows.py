"""What names a row, and what says when it was: found in a table, or made up."""

import re
from datetime import date, timedelta
from typing import Any

import pandas as pd

from .kinds import Dates
from .names import Named
from .table import TableError, is_text

MIN_DAYS = 21  # the newest are held out, and the others have to show every weekday
DAYS, ROWS_A_DAY = 40, 50  # where no column says when a row was
MAX_ID = 64  # characters: a longer text is no name
LIKE_AN_ID = re.compile(r"(.*_)?(id|key|uuid|guid|nr|no|number)")


def find_time(table: Named, named: str, dates: dict[str, Dates], known: "pd.Series[bool]") -> tuple[str, Dates]:
    """Return the name of the time and its dates.

    Args:
        table: the table.
        named: the column that was asked for; empty if none was.
        dates: the columns of dates.
        known: which rows have an outcome.

    Raises:
        TableError: the column that was asked for has no dates, or too few days, or times of several zones.
    """
    if named and named not in dates:
        raise TableError(
            f"TIME={table.own[named]} is no column of dates: write them like 2024-03-01 or 2024-03-01T06:30"
        )
    if not dates:
        _, days = spread(len(table.frame))
        table.notes.append(
            f"time: made up, since no column has dates: rows are spread over {days} days in the order of the "
            "file, and the last day is yesterday"
        )
        return table.free("time"), Dates(_made_up(len(table.frame)))
    name = named or max(dates, key=lambda name: dates[name].days.nunique())
    if not named:
        why = "the only column of dates" if len(dates) == 1 else "the column of dates with the most days"
        table.notes.append(f"time: {table.own[name]}, {why}")
    _check(table, name, dates[name], known)
    return name, dates[name]


def spread(rows: int) -> tuple[int, int]:
    """Return how many rows a day has, and how many days there are, where no column says when a row was."""
    a_day = rows // max(MIN_DAYS, min(DAYS, rows // ROWS_A_DAY))
    return a_day, rows // a_day


def find_id(table: Named, frame: pd.DataFrame, named: str, dates: dict[str, Dates]) -> str:
    """Return the name of the id: the one asked for, one that looks like it, or one that is made up.

    Args:
        table: the table.
        frame: the columns that it may be.
        named: the column that was asked for; empty if none was.
        dates: the columns of dates.

    Raises:
        TableError: the column that was asked for does not name every row, or names two.
    """
    if named:
        _check_id(frame[named], table.own[named])
        return named
    unique = [str(name) for name in frame if frame[name].notna().all() and frame[name].is_unique]
    texts = [name for name in unique if name not in dates and is_text(frame[name])]
    short = [name for name in texts if frame[name].str.len().max() <= MAX_ID]
    for name in [*(name for name in unique if LIKE_AN_ID.fullmatch(name)), *short]:
        table.notes.append(f"id: {table.own[name]}, which is different in every row")
        return name
    table.notes.append("id: made up from what is in a row, since no column looks like one")
    return table.free("row_id")


def _check(table: Named, name: str, dates: Dates, known: "pd.Series[bool]") -> None:
    """Note what was made of a time.

    Raises:
        TableError: it cannot be one.
    """
    own = table.own[name]
    if len(dates.offsets) > 1:
        raise TableError(
            f"{own} has times with several offsets from UTC ({', '.join(dates.offsets)}): write all in one zone, "
            f"as pandas.to_datetime(table[{own!r}], utc=True).dt.tz_convert(ZONE).dt.tz_localize(None) does"
        )
    if dates.offsets:
        table.notes.append(f"time: {own} is taken as it is written, without its offset ({dates.offsets[0]})")
    if dates.ambiguous:
        first = "day" if dates.dayfirst else "month"
        table.notes.append(f"time: {own} begins with the day or with the month, and the {first} was assumed")
    if missing := int(dates.moments.isna().sum()):
        table.notes.append(f"left out: {missing:,} rows without {own}")
    days = int(dates.moments[known].dt.normalize().nunique())
    if days < MIN_DAYS:
        raise TableError(
            f"{own} has outcomes of {days} days, and {MIN_DAYS} are needed: add older rows, name another TIME, or "
            "leave all columns of dates out, so that rows are spread over days in the order of the file"
        )


def _check_id(column: "pd.Series[Any]", own: str) -> None:
    if missing := int(column.isna().sum()):
        raise TableError(f"ID={own} is empty in {missing:,} rows: fill it in, or leave ID away")
    twice = column[column.duplicated()]
    if not twice.empty:
        raise TableError(
            f"ID={own} names {len(twice):,} rows a second time, one is {twice.iloc[0]}: leave them out, or leave "
            "ID away"
        )


def _made_up(rows: int) -> "pd.Series[pd.Timestamp]":
    """Spread rows over days: the last rows are of yesterday, and the first day takes what is left over."""
    a_day, days = spread(rows)
    ago = pd.Series(range(rows - 1, -1, -1)) // a_day
    yesterday = pd.Timestamp(date.today() - timedelta(days=1))
    return yesterday - pd.to_timedelta(ago.clip(upper=days - 1), unit="D")
