"""Figures about one level's year, from its ledgers and answers: with incidents, and the same year without."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from .incidents import Incident
from .ledger import Event, Ledger
from .upstream import LATE_MINUTES, Year

WRONG_BY = 0.1  # an answer this far from the one of the calm year is a wrong one, on a day that was worse
FAILED_SHARE = 0.02  # a release is a failed one if it makes this share of its first days' answers wrong
FAILED_DAYS = 14
FEWEST_HARMED = 0.005  # of the flights of a window: with less, two models merely differ
SHIFTS = (date(2013, 6, 24), date(2013, 9, 2))  # the summer storms and the September calm begin
SIGNS_OF_TROUBLE = ("failed step", "no answers", "alarm", "wrong answers")


@dataclass(frozen=True)
class Played:
    """One play: its ledger, and every flight with its answer and how it ended."""

    ledger: Ledger
    flights: pd.DataFrame  # by flight_id: day, late (NaN: never arrived), answer (NaN: none), loss

    @classmethod
    def read(cls, folder: Path, year: Year) -> "Played":
        """Read a play that is finished."""
        answers = pd.concat([pd.read_parquet(path) for path in sorted((folder / "answers").glob("*.parquet"))])
        outcomes = year.outcomes.reset_index().set_index("flight_id").loc[answers.index]
        late = (outcomes["arrival_delay"] >= LATE_MINUTES).astype(float).where(outcomes["arrival_delay"].notna())
        answer = answers["late_probability"]
        said = answer.clip(1e-15, 1 - 1e-15)
        loss = -np.log(said.where(late == 1, 1 - said)).where(late.notna())
        table = pd.DataFrame({"day": outcomes["day"], "late": late, "answer": answer, "loss": loss})
        return cls(Ledger(folder / "ledger.jsonl"), table)

    @property
    def first(self) -> str:
        """Return the first day."""
        return str(self.ledger.events[0]["day"])

    def releases(self) -> list[Event]:
        """Return the models that got all traffic, but for the first one."""
        full = [each for each in self.ledger.of("deployment") if each["kind"] == "model" and each["share"] == 1]
        return full[1:]


def quality(played: Played) -> dict[str, float]:
    """Return log loss, AUC, calibration error (mean gap over ten bands of answers) and the share answered."""
    from sklearn.metrics import roc_auc_score

    judged = played.flights.dropna()
    if judged.empty:
        return {"answered": 0.0}
    bands = judged.groupby((judged["answer"] * 10).astype(int).clip(0, 9))
    gaps = (bands["answer"].mean() - bands["late"].mean()).abs() * bands.size()
    return {
        "log_loss": round(float(judged["loss"].mean()), 4),
        "auc": round(float(roc_auc_score(judged["late"], judged["answer"])), 4),
        "calibration_error": round(float(gaps.sum() / len(judged)), 4),
        "answered": round(float(played.flights["answer"].notna().mean()), 4),
    }


def weekly(played: Played) -> dict[str, float | None]:
    """Return the mean log loss of each week, by its Monday."""
    weeks = pd.to_datetime(played.flights["day"]).dt.to_period("W").dt.start_time.dt.strftime("%Y-%m-%d")
    means = played.flights["loss"].groupby(weeks).mean()
    return {str(week): None if np.isnan(mean) else round(float(mean), 4) for week, mean in means.items()}


def people(played: Played) -> dict[str, Any]:
    """Count what people did after the first day: by role, and for each model released."""
    steps = [each for each in played.ledger.of("step") if each["day"] > played.first and each["ok"]]
    releasing = [each for each in steps if each["why"]]
    releases = len(played.releases())
    return {
        "human_steps": len(steps),
        "by_role": dict(sorted(Counter(each["role"] for each in steps).items())),
        "steps_per_release": round(len(releasing) / releases, 2) if releases else None,
    }


def trainings(played: Played) -> dict[str, Any]:
    """Count the trainings by what started them, and the models that got all traffic."""
    made = played.ledger.of("training")
    return {
        "trainings": len(made),
        "by_trigger": dict(sorted(Counter(each["by"] for each in made).items())),
        "releases": len(played.releases()),
        "withdrawn": len(played.ledger.of("withdrawn")),
        "alarms": len(played.ledger.of("alarm")),
    }


def days_to_recovery(calm: Played) -> list[int | None]:
    """Return, for each shift of the year, the days until a model that learned from it had all traffic."""
    made = {each["name"]: each["day"] for each in calm.ledger.of("training")}
    found: list[int | None] = []
    for shift in SHIFTS:
        fits = (
            each["day"]
            for each in calm.releases()
            if each["day"] > str(shift) and _trained(each, made, calm) > str(shift)
        )
        first = next(fits, None)
        found.append((date.fromisoformat(first) - shift).days if first else None)
    return found


def _trained(release: Event, made: dict[str | None, str], played: Played) -> str:
    """Return the day on which a released model was trained."""
    if release["name"] in made:
        return made[release["name"]]
    days = [each["day"] for each in played.ledger.of("training") if each["day"] <= release["day"]]
    return str(days[-1])


def strip(played: Played) -> dict[str, list[str]]:
    """Return the days of trainings, releases, trials, withdrawals and alarms."""
    models = [each for each in played.ledger.of("deployment") if each["kind"] == "model"]
    found = {
        "trained": played.ledger.of("training"),
        "released": [each for each in models if each["share"] == 1],
        "on trial": [each for each in models if each["share"] < 1],
        "withdrawn": played.ledger.of("withdrawn"),
        "alarm": played.ledger.of("alarm"),
    }
    return {name: sorted({each["day"] for each in events}) for name, events in found.items()}


# --- incidents


def windows(incidents: list[Incident], last: date) -> dict[str, tuple[date, date]]:
    """Return the days counted to each planted incident: from its first until the next one begins."""
    planted = [each for each in incidents if not each.natural]
    ends = [each.first - timedelta(days=1) for each in planted[1:]] + [last]
    return {each.id: (each.first, end) for each, end in zip(planted, ends, strict=True)}


def incident(played: Played, calm: Played, first: date, last: date) -> dict[str, Any]:
    """Return what an incident did in its window, against the same days of the calm year."""
    inside = played.flights["day"].between(str(first), str(last))
    harm = _harm(played.flights[inside], calm.flights.loc[played.flights.index[inside]])
    new = [each for each in played.ledger.events if str(first) <= each["day"] <= str(last)]
    usual = {_key(each) for each in calm.ledger.events}
    new = [each for each in new if _key(each) not in usual]
    by_machine = [each["day"] for each in new if _is_machine(each)]
    by_people = [each["noticed"] for each in new if each["event"] == "sign" and each["of"] in SIGNS_OF_TROUBLE]
    recovered = _recovery(harm, first, last)
    ended = str(first + timedelta(days=recovered)) if recovered is not None else str(last)
    steps = [each for each in new if each["event"] == "step" and each["why"] and each["day"] <= ended]
    return {
        "outcome": _outcome(new, float(harm["harmed"].sum() / harm["flights"].sum()), by_machine, by_people),
        "noticed_by_machine": _days(by_machine, first),
        "noticed_by_people": _days(by_people, first),
        "days_to_notice": _days(by_machine + by_people, first),
        "days_to_recover": recovered,
        "human_steps_to_recover": len(steps),
        "flights_unanswered": int(harm["unanswered"].sum()),
        "flights_harmed": int(harm["harmed"].sum()),
        "extra_log_loss": round(float(harm["extra"].sum() / max(1, harm["judged"].sum())), 4),
        "from": str(first),
        "to": str(last),
    }


def _harm(table: pd.DataFrame, calm: pd.DataFrame) -> pd.DataFrame:
    """Return by day: flights unanswered, flights answered wrongly, and the log loss added.

    An answer is wrong that is far from the calm year's, on a day whose answers as a whole are worse than there.
    """
    both = table["loss"].notna() & calm["loss"].notna()
    unanswered = table["answer"].isna() & calm["answer"].notna()
    worse = (table["loss"] - calm["loss"]).where(both, 0.0).groupby(table["day"]).transform("sum") > 0
    wrong = ((table["answer"] - calm["answer"]).abs() > WRONG_BY) & worse
    by_flight = pd.DataFrame(
        {
            "unanswered": unanswered.astype(int),
            "wrong": wrong.astype(int),
            "extra": (table["loss"] - calm["loss"]).where(both, 0.0),
            "judged": both.astype(int),
            "flights": 1,
        }
    )
    days = by_flight.groupby(table["day"]).sum()
    return days.assign(harmed=days["unanswered"] + days["wrong"])


def _recovery(harm: pd.DataFrame, first: date, last: date) -> int | None:
    """Return the days until less than a fiftieth of the flights were harmed, for good; None: not in its window."""
    bad = harm.index[harm["harmed"] > FAILED_SHARE * harm["flights"]]
    if not len(bad):
        return 0
    end = date.fromisoformat(str(bad[-1])) + timedelta(days=1)
    return (end - first).days if end <= last else None


def _outcome(new: list[Event], harmed: float, by_machine: list[str], by_people: list[str]) -> str:
    if any(each["event"] == "incident" and each["says"].startswith(("there is no", "nothing")) for each in new):
        return "does not apply"
    refused = any("refused" in each["says"] for each in new if each["event"] == "incident")
    if harmed < FEWEST_HARMED:
        return "prevented" if by_machine or refused else "no harm"
    if by_machine and (not by_people or min(by_machine) <= min(by_people)):
        return "noticed by the machine"
    return "noticed by people" if by_people else "never noticed"


def _is_machine(event: Event) -> bool:
    return event["event"] in ("alarm", "withdrawn")


def _key(event: Event) -> tuple[Any, ...]:
    return event["day"], event["event"], event.get("of"), event.get("why"), event.get("id")


def _days(found: list[str], first: date) -> int | None:
    return (date.fromisoformat(min(found)) - first).days if found else None


# --- DORA


def dora(played: Played, calm: Played) -> dict[str, Any]:
    """Return DORA's five metrics as defined in 2026, adapted to models; see the scoreboard's text for each."""
    made = {each["name"]: each["day"] for each in played.ledger.of("training")}
    releases = played.releases()
    changes = [
        each for each in played.ledger.of("deployment") if each["day"] > played.first and each["share"] == 1
    ]
    months = (date.fromisoformat(played.ledger.events[-1]["day"]) - date.fromisoformat(played.first)).days / 30.4
    leads = [_between(_trained(each, made, played), each["day"]) for each in releases]
    failed = [each for each in changes if _failed(each, changes, played, calm)]
    ends = [_restored(each, changes, played, calm) for each in failed]
    mended = [_between(each["day"], end) for each, end in zip(failed, ends, strict=True) if end]
    return {
        "deployments": len(changes),
        "deployment_frequency_per_month": round(len(changes) / months, 2),
        "change_lead_time_days": median(leads) if leads else None,
        "change_fail_rate": round(len(failed) / len(changes), 3) if changes else None,
        "failed_deployment_recovery_days": median(mended) if mended else None,
        "deployment_rework_rate": round(_rework(changes, played) / len(changes), 3) if changes else None,
    }


def _between(first: str, last: str) -> int:
    return (date.fromisoformat(last) - date.fromisoformat(first)).days


def _days_of(change: Event, changes: list[Event], played: Played, calm: Played) -> pd.DataFrame:
    """Return the harm day by day while a change was in service, at most for its first two weeks."""
    later = [each["day"] for each in changes if each["day"] > change["day"]]
    end = str(date.fromisoformat(change["day"]) + timedelta(days=FAILED_DAYS))
    inside = (played.flights["day"] >= change["day"]) & (played.flights["day"] < min([*later, end]))
    return _harm(played.flights[inside], calm.flights.loc[played.flights.index[inside]])


def _failed(change: Event, changes: list[Event], played: Played, calm: Played) -> bool:
    harm = _days_of(change, changes, played, calm)
    return bool(len(harm)) and float(harm["harmed"].sum() / harm["flights"].sum()) > FAILED_SHARE


def _restored(change: Event, changes: list[Event], played: Played, calm: Played) -> str | None:
    """Return the day of the next change that did not fail."""
    later = [each for each in changes if each["day"] > change["day"]]
    return next((each["day"] for each in later if not _failed(each, changes, played, calm)), None)


def _rework(changes: list[Event], played: Played) -> int:
    """Count the changes that people made because of trouble, and those that went back to an earlier model."""
    acted = {each["day"] for each in played.ledger.of("acted") if each["on"] in SIGNS_OF_TROUBLE}
    seen: set[str] = set()
    count = 0
    for each in changes:
        count += each["day"] in acted or each["name"] in seen
        seen.add(each["name"])
    return count
