"""The daily check: measure, decide, act. It reads the logs of production, so no prediction waits for it."""

import logging
from dataclasses import replace

import pandas as pd
from mlflow.entities.model_registry import ModelVersion
from prefect import flow
from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

from ..config import paths
from ..config.policy import Policy, read_policy
from ..config.problem import OUTCOME
from ..delivery import following, promotion
from ..errors import StageError
from ..events import Event, Kind
from ..operations.readiness import NoServerError
from ..registry import models
from ..serving.calibration import Calibration
from . import issues, notify
from .act import act
from .alarm import Alarm
from .calibrate import calibrate
from .dates import before
from .decide import Decision, Observation, decide
from .decisions import Action
from .measure import DAYS_BACK, measure, predictions_with_outcomes, report
from .observe import observe
from .shadow import is_worth_it, shadow_refit
from .watch import watch


def check(day: str) -> list[Event]:
    """Check production up to the morning of `day`, such as 2013-03-01, and act on the policy."""
    try:
        # A flow waits up to a second for its heartbeat to stop, and the check takes not much longer than that.
        with temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            events = daily_check(day)
        (paths.ISSUES / issues.BLIND).unlink(missing_ok=True)
    except Exception as error:
        if issue := issues.write_blind(paths.ISSUES, day, error):
            notify.put(paths.OUTBOX, issue.stem, issue.read_text())
        for problem in notify.send(paths.OUTBOX):
            logging.getLogger(__name__).warning(problem)
        raise
    return events + [Event(Kind.FAILED, problem) for problem in notify.send(paths.OUTBOX)]


@flow(name="daily-check", flow_run_name="{day}")
def daily_check(day: str) -> list[Event]:
    """Measure, decide and act, as a flow listed beside the trainings."""
    champion = models.champion()
    if champion is None and (served := following.goes_on()):
        raise StageError(f"the registry names no champion, and {served} goes on: nobody can tell how well")
    if champion is None:
        return [Event(Kind.CHECKED, "there is no champion yet")]
    policy, yesterday = read_policy(), before(day, 1)
    days = max(DAYS_BACK, policy.calibration.days, policy.shadow.days)
    recent = predictions_with_outcomes(champion, before(day, days), yesterday)
    events, unreadable = look_at_the_feed(day, champion, policy)
    measure(champion, recent, yesterday)
    try:
        report(champion, recent, yesterday)
    except Exception as error:  # people can do without a report for a day
        events.append(Event(Kind.FAILED, f"the report failed, {type(error).__name__}: {error}"))
    observation = replace(observe(champion, day), unreadable=unreadable)
    decision = decide(observation, policy)
    events.append(_checked(observation, decision))
    if decision.action is Action.REFIT:
        decision = ask_a_refit(day, decision, recent.dropna(subset=OUTCOME), policy)
    events += act(day, decision, policy) + watch(day, champion, recent, policy)
    events.append(_calibrated(calibrate(day, recent, serving(), policy)))
    return events


def look_at_the_feed(day: str, champion: ModelVersion, policy: Policy) -> tuple[list[Event], str]:
    """Examine the flights of today before any is answered; return what is wrong, and why they are unreadable."""
    from .feed import examine_today  # seconds of imports

    try:
        examined = examine_today(day, champion, policy)
    except NoServerError:
        raise
    except StageError as error:
        return [], str(error)
    except Exception as error:  # the file may hold anything
        return [], f"{type(error).__name__}, {error}"
    events = []
    if examined.correction:
        facts = {"cause": "feed", "evidence": examined.suspicious, "columns": examined.correction.missing}
        events.append(Event(Kind.ALARM, f"ALARM feed: {examined.correction}", facts))
    if rows := examined.incomplete:
        text = ", ".join(f"{share:.0%} of the usual flights ({name})" for name, share in rows.items())
        events.append(Event(Kind.ALARM, f"ALARM feed: {text}", {"cause": "incomplete feed", "evidence": rows}))
    return events, ""


def ask_a_refit(day: str, decision: Decision, landed: pd.DataFrame, policy: Policy) -> Decision:
    """Refit in the shadow; return the decision with what that gained: to retrain, if it is worth it."""
    if landed.empty:
        return Decision(Action.NOTHING, decision.alarm, "no outcome has landed to compare a refit on")
    excess = shadow_refit(day, landed, policy.shadow)
    assert decision.alarm is not None  # noqa: S101 - nothing is refitted without one
    alarm = Alarm(decision.alarm.cause, decision.alarm.evidence | {"excess log loss of a refit": str(excess)})
    return Decision(Action.RETRAIN if is_worth_it(excess, policy.shadow) else Action.REFIT, alarm)


def serving() -> list[ModelVersion]:
    """Return the versions that predict: for people, or in the shadow."""
    versions = map(models.version_of, (models.CHAMPION, promotion.CHALLENGER, promotion.PREVIOUS))
    return [models.version(version) for version in versions if version]


def _calibrated(calibration: Calibration) -> Event:
    intercepts = {models.number_of(model): value for model, value in calibration.intercepts.items()}
    words = ", ".join(f"version {version} {value:+.2f}" for version, value in intercepts.items())
    return Event(Kind.CALIBRATED, f"calibrated: {words or 'no outcome'}", {"intercepts": intercepts})


def _checked(observation: Observation, decision: Decision) -> Event:
    """Report the check: the metrics of the champion over the last week, and the decision."""
    week = observation.window.tail(DAYS_BACK)
    text, facts = str(decision), {"action": decision.action, "days": len(week)}
    if "log_loss" in week:
        facts |= {name: round(float(week[name].mean()), 4) for name in ("log_loss", "bias")}
        text = f"log loss {facts['log_loss']:.3f} and bias {facts['bias']:+.3f} over {len(week)} days, {text}"
    return Event(Kind.CHECKED, text, facts)
