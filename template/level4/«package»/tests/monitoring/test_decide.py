"""What is decided about an observation, and that the policy alone decides."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ...config.policy import POLICY, Policy, read_policy
from ...monitoring import decisions, issues, store
from ...monitoring.alarm import Alarm, Cause
from ...monitoring.decide import Observation, decide
from ...monitoring.decisions import Action, Record, Status

REFIT, RETRAIN, HOLD, RESUME = Action.REFIT, Action.RETRAIN, Action.HOLD, Action.RESUME
FAILURES = Cause.FAILURES
MONDAY = "2013-06-10"
DEVIATION = read_policy().retraining.performance.daily_deviation
CALM = [0.1, -0.2, 0.3, -0.1, 0.0, 0.2, -0.3]
BIASED = [bias - 2.5 for bias in CALM]


def days(bias: list[float], out_of_range: float = 0.02) -> pd.DataFrame:
    """Return the metrics of a champion, one row per day; a bias is in usual deviations."""
    index = pd.date_range("2013-06-01", periods=len(bias)).strftime("%Y-%m-%d")
    return pd.DataFrame(
        {"raw_bias": [DEVIATION * each for each in bias], "out_of_range_share": out_of_range}, index=index
    )


QUIET = Observation(
    day="2013-06-08",
    window=days(CALM),
    skew=0.0,
    silent_days=0,
    new_instances=read_policy().retraining.new_data.instances // 6,
    age_days=14,
    in_ab_test=False,
    decisions=[],
)


def taken(
    day: str, action: Action = RETRAIN, cause: Cause = Cause.DRIFT, status: Status = Status.DONE, **evidence: Any
) -> Record:
    return Record(f"{day}-{cause}", day, action, cause, "", evidence, status, "version 2 is challenger")


def hold(day: str, cause: Cause = Cause.SKEW, **evidence: Any) -> Record:
    return taken(day, HOLD, cause, Status.OPEN, **evidence)


def changed(**values: Any) -> Policy:
    """Return the policy with other values, by names such as `retraining__staleness__days`."""
    content: dict[str, Any] = read_policy().model_dump()
    for name, value in values.items():
        *path, last = name.split("__")
        part = content
        for step in path:
            part = part[step]
        part[last] = value
    return Policy.model_validate(content)


def what(observation: Observation, policy: Policy | None = None) -> tuple[Action, Cause]:
    """Return action and cause of the decision."""
    decision = decide(observation, policy or read_policy())
    assert decision.alarm is not None, decision
    return decision.action, decision.alarm.cause


def nothing(observation: Observation, policy: Policy | None = None) -> bool:
    decision = decide(observation, policy or read_policy())
    return decision.action is Action.NOTHING and decision.alarm is None


def test_nothing_is_done_about_a_calm_week() -> None:
    assert nothing(QUIET)


@pytest.mark.parametrize(
    ("change", "action", "cause"),
    [
        ({"window": days(BIASED)}, REFIT, "performance"),
        ({"window": days([-bias for bias in BIASED])}, REFIT, "performance"),
        ({"window": days(CALM, out_of_range=0.3)}, REFIT, "drift"),
        ({"day": MONDAY}, REFIT, "schedule"),
        ({"new_instances": 70_000}, RETRAIN, "new_data"),
        ({"age_days": 61}, RETRAIN, "staleness"),
    ],
)
def test_age_and_new_data_train_and_all_other_causes_ask_a_refit_first(
    change: dict[str, Any], action: Action, cause: str
) -> None:
    assert what(replace(QUIET, **change)) == (action, cause)


def test_a_bias_that_one_bad_day_explains_is_no_alarm() -> None:
    assert nothing(replace(QUIET, window=days([0.0] * 6 + [5.0])))


def test_a_bias_that_comes_and_goes_does_not_add_up() -> None:
    assert nothing(replace(QUIET, window=days([2.5, -2.5] * 20)))


def test_a_small_bias_that_stays_adds_up_in_the_end() -> None:
    """One and a half of its usual deviations, day after day."""
    waits = [nothing(replace(QUIET, window=days([1.5] * length))) for length in range(1, 16)]
    assert waits == [True] * 10 + [False] * 5


def test_after_an_alarm_about_performance_it_adds_up_anew() -> None:
    biased = replace(QUIET, window=days(BIASED))
    assert nothing(replace(biased, decisions=[taken("2013-06-07", REFIT, Cause.PERFORMANCE)]))


def test_a_refit_that_gained_too_little_is_not_asked_again_the_next_day() -> None:
    drifted = replace(QUIET, window=days(CALM, out_of_range=0.3), decisions=[taken("2013-06-06", REFIT)])
    assert decide(drifted, read_policy()).waits_for == "a refit gained too little on 2013-06-06"
    assert what(replace(drifted, decisions=[taken("2013-06-05", REFIT)])) == (REFIT, "drift")


def test_changing_the_policy_alone_changes_the_decision() -> None:
    biased = replace(QUIET, window=days(BIASED))
    assert what(biased) == (REFIT, "performance")
    assert nothing(biased, changed(retraining__performance__threshold=50))
    assert what(biased, changed(retraining__staleness__days=10)) == (RETRAIN, "staleness")
    assert what(QUIET, changed(shadow__weekdays=[5])) == (REFIT, "schedule")  # 8 June was a Saturday


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"in_ab_test": True}, "a challenger is in the A/B test"),
        ({"decisions": [taken("2013-06-03")]}, "cooling down since 2013-06-03"),
        ({"decisions": [taken(f"2013-05-{n}") for n in (11, 17, 23, 29)]}, "budget of 4 trainings in 30 days"),
        ({"decisions": [hold("2013-06-02")], "skew": 0.2}, "held since 2013-06-02"),
    ],
    ids=["A/B test", "cool-down", "budget", "held"],
)
def test_a_guard_holds_an_alarm_back(change: dict[str, Any], why: str) -> None:
    decision = decide(replace(QUIET, window=days(BIASED), **change), read_policy())
    assert (decision.action, decision.alarm and decision.alarm.cause) == (Action.NOTHING, "performance")
    assert why in decision.waits_for


def test_a_metric_that_flaps_every_day_trains_once_per_cool_down() -> None:
    decisions: list[Record] = []
    for day in pd.date_range("2013-06-08", periods=60).strftime("%Y-%m-%d"):
        alarm = replace(QUIET, day=day, window=days(BIASED if int(day[-2:]) % 2 else CALM), decisions=decisions)
        if decide(alarm, read_policy()).action is REFIT:  # and each was worth a training
            decisions.append(taken(day))
    gaps = pd.Series(pd.to_datetime([decision.day for decision in decisions])).diff().dropna()
    assert len(decisions) >= 3
    assert gaps.min().days >= read_policy().guards.cool_down_days


TROUBLE: list[tuple[dict[str, Any], Cause]] = [
    ({"unreadable": "TypeError, no numbers"}, Cause.UNREADABLE_FEED),
    ({"silent_days": 3}, Cause.STALE_FEED),
    ({"skew": 0.2}, Cause.SKEW),
]


@pytest.mark.parametrize(("change", "cause"), TROUBLE)
def test_what_cannot_be_trusted_holds_all_trainings(change: dict[str, Any], cause: Cause) -> None:
    observation = replace(QUIET, window=days(BIASED), **change)
    assert what(observation) == (HOLD, cause)
    held = replace(observation, decisions=[hold("2013-06-07", cause)])
    assert "held since" in decide(held, read_policy()).waits_for


@pytest.mark.parametrize(("change", "cause"), TROUBLE)
def test_a_hold_ends_as_soon_as_its_own_cause_is_gone(change: dict[str, Any], cause: Cause) -> None:
    held = replace(QUIET, window=days(BIASED), decisions=[hold("2013-06-01", cause)])
    decision = decide(held, read_policy())
    assert (decision.action, decision.alarm and decision.alarm.evidence["hold"]) == (RESUME, f"2013-06-01-{cause}")
    other = next(each for each, its_cause in TROUBLE if its_cause is not cause)
    assert what(replace(held, **other)) == (RESUME, "recovered")  # and the other one holds the next day
    assert nothing(replace(held, window=days(CALM), **change))


def test_each_of_two_holds_ends_by_itself() -> None:
    holds = [hold("2013-06-01", Cause.SKEW), hold("2013-06-03", Cause.STALE_FEED)]
    still = replace(QUIET, decisions=holds, silent_days=3)
    decision = decide(still, read_policy())
    assert decision.alarm is not None
    assert (decision.action, decision.alarm.evidence["hold"]) == (RESUME, holds[0].id)


def test_after_repeated_failures_trainings_are_tried_again_after_a_week() -> None:
    failures = [taken(day, status=Status.FAILED) for day in ("2013-05-10", "2013-05-20", "2013-05-30")]
    held = [*failures, hold("2013-06-02", FAILURES)]
    assert nothing(replace(QUIET, decisions=held))
    assert what(replace(QUIET, day="2013-06-09", decisions=held)) == (RESUME, "recovered")


def test_after_three_failures_in_a_row_people_are_asked_once() -> None:
    failures = [taken(day, status=Status.FAILED) for day in ("2013-03-01", "2013-04-01", "2013-05-01")]
    assert what(replace(QUIET, decisions=failures)) == (HOLD, "failures")
    assert nothing(replace(QUIET, decisions=failures[1:]))
    for last in (Status.DONE, Status.REFUSED, Status.OPEN):  # a refusal is the gates' work, and no failure
        assert nothing(replace(QUIET, decisions=[*failures[:2], taken("2013-05-01", status=last)]))
    looked = [*failures, taken("2013-05-02", HOLD, FAILURES)]
    assert nothing(replace(QUIET, decisions=looked))


def test_a_decision_is_kept_in_order_of_its_day_with_what_came_of_it(tmp_path: Path) -> None:
    with store.open_store(tmp_path / "metrics.db") as connection:
        for day in ("2013-06-08", "2013-05-08"):
            decisions.record(connection, Record(day, day, RETRAIN, Cause.DRIFT, "", {"share": 0.3}))
        decisions.conclude(connection, "2013-05-08", Status.REFUSED, "version 2 is worse")
        kept = decisions.read(connection)
    assert [(decision.day, decision.status, decision.result) for decision in kept] == [
        ("2013-05-08", Status.REFUSED, "version 2 is worse"),
        ("2013-06-08", Status.OPEN, ""),
    ]
    assert (kept[0].action, kept[0].cause, kept[0].evidence) == (RETRAIN, Cause.DRIFT, {"share": 0.3})


def test_an_issue_gives_the_evidence_the_last_decisions_and_the_policy(tmp_path: Path) -> None:
    before = [taken(f"2013-05-0{n}") for n in range(1, 8)]
    policy = hashlib.sha256(POLICY.read_bytes()).hexdigest()
    record = replace(hold("2013-06-08"), policy=read_policy().sha256)
    text = issues.write(
        tmp_path / "issues", record, Alarm(Cause.SKEW, {"share of predictions": 0.2}), before
    ).read_text()
    assert "share of predictions 0.2" in text
    assert policy in text
    assert [f"2013-05-0{n}" in text for n in range(1, 8)] == [False, False, True, True, True, True, True]
    assert [path.name for path in (tmp_path / "issues").iterdir()] == ["2013-06-08-skew.md"]
