"""What holds a training back, however loud the alarm."""

from typing import Any

from .dates import before, days_between

RETRAIN, HOLD, RESUME, ROLL_BACK = "retrain", "hold", "resume", "roll back"
FAILED = "failed"
SUSPICIOUS, BACK = "suspicious feed", "feed is back"

Decision = dict[str, Any]  # a row of the store's decisions


def why_wait(decisions: list[Decision], day: str, on_trial: bool, policy: dict[str, Any]) -> str | None:
    """Return why no training may start on `day`, or None.

    Args:
        decisions: all that were taken, oldest first.
        day: today.
        on_trial: whether a challenger is being tried.
        policy: `guards` in policy.yaml.
    """
    if held := open_holds(decisions):
        return f"held since {held[0]['day']}: {held[0]['cause']}"
    if on_trial:
        return "a challenger is on trial"
    trained = [each["day"] for each in decisions if each["decision"] == RETRAIN]
    if trained and days_between(trained[-1], day) < policy["cool_down_days"]:
        return f"cooling down since {trained[-1]}"
    if sum(each > before(day, 30) for each in trained) >= policy["trainings_in_30_days"]:
        return f"the budget of {policy['trainings_in_30_days']} trainings in 30 days is spent"
    return None


def open_holds(decisions: list[Decision]) -> list[Decision]:
    """Return the holds that nobody has ended."""
    return [each for each in decisions if each["decision"] == HOLD and not each["result"]]


def odd_days(decisions: list[Decision]) -> list[str]:
    """Return the days on which the published flights went wrong or came back; each is decided a morning later."""
    return [before(each["day"], 1) for each in decisions if each["cause"] in (SUSPICIOUS, BACK)]


def gave_up(decisions: list[Decision], policy: dict[str, Any]) -> bool:
    """Tell whether the last trainings all failed or were refused, since anybody looked."""
    recent = [each for each in decisions if each["decision"] == RETRAIN and each["result"]]
    looked = [each["day"] for each in decisions if each["cause"] == "failures"]
    recent = [each for each in recent if not looked or each["day"] > looked[-1]]
    last = recent[-policy["failures_in_a_row"] :]
    return len(last) == policy["failures_in_a_row"] and all(each["result"].startswith(FAILED) for each in last)
