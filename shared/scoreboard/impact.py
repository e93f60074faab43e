"""The impact of an incident in a period of days: on what reached the models, and on the models.

Answers differ from those of the same level's calm year for two reasons, which are told apart by what the model
that answered says about the real input (see `simulation/replay.py`).
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from ..world.incidents import Incident
from ..world.period import Period
from .difference import MEASURABLE, Difference, clustered
from .notice import events_of, noticed, outcome_of
from .result import SAME, Result

MOVED_BY = 0.1  # an answer this far from what its model says about the real input was moved
HARMED_DAY = 0.02  # a day is a bad one when this share of its flights is unanswered or moved
MIN_HARMED = 0.005  # of the flights of a period: with less there is no harm to speak of
LATER = 7  # days: the placebo is a calm year whose releases come this much later


def periods(incidents: Sequence[Incident], last: date) -> dict[str, Period]:
    """Return the days counted to each injected incident: from its first until the next one begins."""
    injected = [incident for incident in incidents if not incident.natural]
    ends = [incident.first - timedelta(days=1) for incident in injected[1:]] + [last]
    return {incident.id: Period(incident.first, end) for incident, end in zip(injected, ends, strict=True)}


def incidents(result: Result, calm: Result, happened: Sequence[Incident]) -> dict[str, Any]:
    """Return the impact of each injected incident, against the same days of the calm year."""
    placebo = calm.released_later(LATER) - calm.flights["clean_loss"]
    spans = periods(happened, date.fromisoformat(str(result.flights["day"].max())))
    return {name: incident(result, calm, span) | _placebo(calm, placebo, span) for name, span in spans.items()}


def incident(result: Result, calm: Result, period: Period) -> dict[str, Any]:
    """Return the impact of one incident in its period."""
    flights = _inside(result.flights, period)
    usual = calm.flights.loc[flights.index]
    days = by_day(flights, usual)
    models = clustered(flights["clean_loss"] - usual["clean_loss"], flights["day"])
    recovered = _recovery(days, period)
    new = events_of(result, calm, period)
    return {
        **noticed(new, period, recovered),
        "outcome": outcome_of(new, _is_harmful(days, models)),
        "days_to_recover": recovered,
        "flights_unanswered": int(days["unanswered"].sum()),
        "flights_moved": int(days["moved"].sum()),
        "inputs": _figures(through_inputs(flights)),
        "models": _figures(models),
        "from": str(period.first),
        "to": str(period.last),
    }


def _inside(table: pd.DataFrame, period: Period) -> pd.DataFrame:
    return table[table["day"].between(str(period.first), str(period.last))]


def by_day(flights: pd.DataFrame, usual: pd.DataFrame) -> pd.DataFrame:
    """Count by day: flights, those that only the calm year answered, and answers that were moved."""
    counted = pd.DataFrame(
        {
            "flights": 1,
            "unanswered": (flights["answer"].isna() & usual["answer"].notna()).astype(int),
            "moved": moved(flights).astype(int),
        }
    )
    return counted.groupby(flights["day"]).sum()


def moved(flights: pd.DataFrame) -> "pd.Series[bool]":
    """Tell which answers are far from what their models say about the real input."""
    return (flights["answer"] - flights["clean"]).abs() > MOVED_BY


def through_inputs(flights: pd.DataFrame) -> Difference | None:
    """Return the log loss that it cost that input and reality differed, on the days on which they did."""
    differs = (flights["answer"] - flights["clean"]).abs() > SAME
    of_days = flights[differs.groupby(flights["day"]).transform("any")]
    return clustered(of_days["loss"] - of_days["clean_loss"], of_days["day"])


def _placebo(calm: Result, excess: "pd.Series[float]", period: Period) -> dict[str, Any]:
    days = _inside(calm.flights, period)["day"]
    return {"placebo": _figures(clustered(excess.loc[days.index], days))}


def _figures(difference: Difference | None) -> dict[str, Any] | None:
    return difference.figures() if difference else None


def _recovery(days: pd.DataFrame, period: Period) -> int | None:
    """Return the days until, for good, fewer than a fiftieth of a day's flights are harmed; None: not in time."""
    bad = days.index[days["unanswered"] + days["moved"] > HARMED_DAY * days["flights"]]
    if not len(bad):
        return 0
    end = date.fromisoformat(str(bad[-1])) + timedelta(days=1)
    return (end - period.first).days if end <= period.last else None


def _is_harmful(days: pd.DataFrame, models: Difference | None) -> bool:
    total = days.sum()
    certain = models is not None and models.t is not None and models.t > MEASURABLE
    return bool(total["unanswered"] + total["moved"] >= MIN_HARMED * total["flights"]) or certain
