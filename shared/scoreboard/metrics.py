"""Metrics of one level's year: how good its predictions were, what it trained and released, what people did."""

from collections import Counter
from typing import Any

from .result import Result


def quality(result: Result) -> dict[str, float | None]:
    """Return log loss, AUC, calibration error (mean gap over ten bins of predictions) and the share answered."""
    from sklearn.metrics import roc_auc_score

    judged = result.flights.dropna(subset=["loss"])
    if judged.empty:
        return {"log_loss": None, "auc": None, "calibration_error": None, "answered": 0.0}
    bins = judged.groupby((judged["answer"] * 10).astype(int).clip(0, 9))
    gaps = (bins["answer"].mean() - bins["late"].mean()).abs() * bins.size()
    return {
        "log_loss": round(float(judged["loss"].mean()), 4),
        "auc": round(float(roc_auc_score(judged["late"], judged["answer"])), 4),
        "calibration_error": round(float(gaps.sum() / len(judged)), 4),
        "answered": round(float(result.flights["answer"].notna().mean()), 4),
    }


def people(result: Result) -> dict[str, Any]:
    """Count what people did after the first day: by role, and for each model released."""
    steps = [step for step in result.event_log.of("step") if step["day"] > result.first and step["ok"]]
    releasing = [step for step in steps if step["why"]]
    releases = len(result.releases())
    return {
        "human_steps": len(steps),
        "by_role": dict(sorted(Counter(step["role"] for step in steps).items())),
        "steps_per_release": round(len(releasing) / releases, 2) if releases else None,
    }


def trainings(result: Result) -> dict[str, Any]:
    """Count the trainings by what triggered them, and the models that got all traffic."""
    runs = result.event_log.of("training")
    return {
        "trainings": len(runs),
        "by_trigger": dict(sorted(Counter(run["by"] for run in runs).items())),
        "releases": len(result.releases()),
        "withdrawn": len(result.event_log.of("withdrawn")),
        "alarms": len(result.event_log.of("alarm")),
    }


def timeline(result: Result) -> dict[str, list[str]]:
    """Return the days of trainings, releases, A/B tests, withdrawals and alarms."""
    models = [event for event in result.event_log.of("deployment") if event["kind"] == "model"]
    events = {
        "trained": result.event_log.of("training"),
        "released": [model for model in models if model["share"] == 1],
        "in the A/B test": [model for model in models if model["share"] < 1],
        "withdrawn": result.event_log.of("withdrawn"),
        "alarm": result.event_log.of("alarm"),
    }
    return {name: sorted({event["day"] for event in happened}) for name, happened in events.items()}
