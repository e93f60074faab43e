"""Levels against each other on the same flights, and against what can be had at all."""

import json
from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pandas as pd

from ..base import ROOT
from ..world.dataset import LATE_MINUTES, Year
from ..world.period import Period
from ..world.quality import log_losses
from .difference import clustered

DECISIONS = ROOT / "docs" / "decisions.json"  # what policies win that are no level: see benchmarks/replica
REFITS = {"once": "trained once", "monthly": "refitted monthly", "weekly": "refitted weekly"}
BASE = "1"  # the level whose models people make by hand: what is gained is gained over it
SHIFTS = (date(2013, 6, 24), date(2013, 9, 2))  # the summer storms and the September calm begin
AFTER_SHIFT = timedelta(weeks=6)

# By level and year (`year`: with incidents, `calm`): a table by flight_id with its day and its loss.
Losses = dict[str, dict[str, pd.DataFrame]]
Figures = dict[str, Any]


def differences(levels: Losses) -> dict[str, dict[str, Figures]]:
    """Return each level's log loss less that of each level below it, under names like `3-2`; clustered by week."""
    return {
        f"{above}-{below}": _windows(levels[above], levels[below])
        for below, above in combinations(sorted(levels), 2)
    }


def _windows(above: dict[str, pd.DataFrame], below: dict[str, pd.DataFrame]) -> dict[str, Figures]:
    """Compare two levels in both years and after the shifts, as far as both answered flights there."""
    found = {name: difference(above[name], below[name]) for name in ("calm", "year")}
    found["after_shifts"] = difference(after_shifts(above["calm"]), after_shifts(below["calm"]))
    return {name: figures for name, figures in found.items() if figures}


def difference(table: pd.DataFrame, other: pd.DataFrame) -> Figures | None:
    """Return how much higher the first log loss is on the flights that both answered; None if there are none."""
    found = clustered(paired(table, other), mondays(table["day"]))
    return found.figures() if found else None


def paired(table: pd.DataFrame, other: pd.DataFrame) -> "pd.Series[float]":
    """Return the difference of the losses, flight by flight; NaN where one of them has none."""
    return table["loss"] - other["loss"].reindex(table.index)


def gains(levels: Losses) -> dict[str, dict[str, dict[str, list[float]]]]:
    """Return by level, year and Monday: the flights that both answered, and the loss gained over `BASE` in sum."""
    others = [number for number in levels if number != BASE] if BASE in levels else []
    return {
        number: {name: _weekly_gain(levels[BASE][name], levels[number][name]) for name in ("year", "calm")}
        for number in others
    }


def _weekly_gain(base: pd.DataFrame, table: pd.DataFrame) -> dict[str, list[float]]:
    gained = paired(base, table).dropna()
    grouped = gained.groupby(mondays(base["day"]).loc[gained.index])
    return {week: [len(of_week), round(float(of_week.sum()), 2)] for week, of_week in grouped}


def after_shifts(table: pd.DataFrame) -> pd.DataFrame:
    """Return the flights of the weeks that follow a shift of the year."""
    periods = [(str(shift), str(shift + AFTER_SHIFT - timedelta(days=1))) for shift in SHIFTS]
    inside = [table["day"].between(first, last) for first, last in periods]
    return table[inside[0] | inside[1]]


def shifted(table: pd.DataFrame) -> dict[str, float | None]:
    """Return the log loss of the weeks that follow a shift of the year; None if no flight of them has one."""
    loss = after_shifts(table)["loss"].dropna()
    return {"after_shifts": None if loss.empty else round(float(loss.mean()), 4)}


def mondays(days: "pd.Series[str]") -> "pd.Series[str]":
    """Return the Monday of each day's week."""
    unique = pd.Series(days.unique())
    starts = pd.to_datetime(unique).dt.to_period("W").dt.start_time.dt.strftime("%Y-%m-%d")
    return days.map(dict(zip(unique, starts, strict=True)))


def scale(year: Year, period: Period) -> dict[str, float]:
    """Return the log loss of answers between which those of the levels lie.

    Two of them know what nobody can know before: the share of late flights of the year, and of each day.
    """
    delays = year.outcomes["arrival_delay"].loc[str(period.first) : str(period.last)].dropna()
    late = (delays >= LATE_MINUTES).astype(float)
    shares = {"constant": late.mean(), "day": late.groupby(level=0).transform("mean")}
    known = {name: round(float(log_losses(late, share).mean()), 4) for name, share in shares.items()}
    played = json.loads(DECISIONS.read_text())["policies"]
    return known | {name: round(played[policy]["log_loss"], 4) for name, policy in REFITS.items()}
