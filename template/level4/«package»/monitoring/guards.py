"""Guards: what keeps an alarm from starting a training."""

from ..config.policy import Guards
from .alarm import Cause
from .dates import before, days_between
from .decisions import Action, Record, Status


def reason_to_wait(decisions: list[Record], day: str, in_ab_test: bool, policy: Guards) -> str:
    """Return why no training may start on `day`; empty if one may.

    Args:
        decisions: all decisions, oldest first.
        day: today.
        in_ab_test: whether a challenger is in the A/B test.
        policy: the limits.
    """
    if holds := open_holds(decisions):
        return f"held since {holds[0].day}: {holds[0].cause}"
    if in_ab_test:
        return "a challenger is in the A/B test"
    trainings = [decision.day for decision in decisions if is_training(decision)]
    if trainings and days_between(trainings[-1], day) < policy.cool_down_days:
        return f"cooling down since {trainings[-1]}"
    if sum(trained > before(day, 30) for trained in trainings) >= policy.max_trainings_in_30_days:
        return f"the budget of {policy.max_trainings_in_30_days} trainings in 30 days is spent"
    return ""


def is_training(decision: Record) -> bool:
    """Tell whether a decision led to a training; one that was lost on the way did not."""
    return decision.action is Action.RETRAIN and decision.status is not Status.LOST


def open_holds(decisions: list[Record]) -> list[Record]:
    """Return the holds that have not ended."""
    return [
        decision for decision in decisions if decision.action is Action.HOLD and decision.status is Status.OPEN
    ]


def failed_repeatedly(decisions: list[Record], policy: Guards) -> bool:
    """Tell whether the last trainings all failed, since people last looked; one that a gate refused did not."""
    looked = [decision.day for decision in decisions if decision.cause is Cause.FAILURES]
    ended = [
        decision.status
        for decision in decisions
        if is_training(decision)
        and decision.status not in (Status.OPEN, Status.RUNNING)
        and (not looked or decision.day > looked[-1])
    ]
    last = ended[-policy.max_failures_in_a_row :]
    return [Status.FAILED] * policy.max_failures_in_a_row == last
