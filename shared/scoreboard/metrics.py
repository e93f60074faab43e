"""Figures about one level's year: how good its answers were, what it trained and released, what people did."""

from collections import Counter
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from .result import Played

HELD_OUT = 7  # days before a training that every level keeps to judge by: no model has learned from them
SHIFTS = (date(2013, 6, 24), date(2013, 9, 2))  # the summer storms and the September calm begin


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
    found: list[int | None] = []
    for shift in SHIFTS:
        # Trained in the morning, on what had landed until the day before, but for the days held out.
        knows = str(shift + timedelta(days=HELD_OUT + 1))
        fits = (each["day"] for each in calm.releases() if calm.trained(each) >= knows)
        first = next(fits, None)
        found.append((date.fromisoformat(first) - shift).days if first else None)
    return found


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
