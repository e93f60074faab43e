"""What is done about what was seen, and that the policy alone decides."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ...config.policy import POLICY, days_back, policy_hash, read_policy
from ...monitoring import issues, store
from ...monitoring.decide import Seen, decide
from ...monitoring.guards import HOLD, RESUME, RETRAIN, ROLL_BACK

CALM = [0.01, -0.02, 0.03, -0.01, 0.0, 0.02, -0.03]
BIASED = [each - 0.1 for each in CALM]


def days(bias: list[float], beyond: float = 0.02) -> pd.DataFrame:
    """Return a champion's measures, one row per day."""
    index = pd.date_range("2013-06-01", periods=len(bias)).strftime("%Y-%m-%d")
    return pd.DataFrame({"bias": bias, "beyond": beyond}, index=index)


SEEN = Seen(
    day="2013-06-08",
    window=days(CALM),
    jumps={"mean temp": 0.8, "missing temp": 0.1},
    away={},
    skew=0.0,
    silent_days=0,
    extra=np.array([]),
    numbers=np.array([], dtype=int),
    new_flights=10_000,
    age_days=14,
    due=False,
    on_trial=False,
    decisions=[],
)


def taken(
    day: str, decision: str = RETRAIN, cause: str = "drift", result: str | None = "version 2 is challenger"
) -> Any:
    return {
        "id": f"{day}-{cause}",
        "day": day,
        "decision": decision,
        "cause": cause,
        "policy": "",
        "evidence": {},
        "result": result,
    }


def what(seen: Seen, policy: dict[str, Any] | None = None) -> tuple[str, str]:
    """Return decision and cause."""
    decision = decide(seen, policy or read_policy())
    assert not isinstance(decision, str), decision
    return decision[0], decision[1].cause


def test_nothing_is_done_about_a_calm_week() -> None:
    assert decide(SEEN, read_policy()) == "no alarm"


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"window": days(BIASED)}, "performance"),
        ({"window": days([-each for each in BIASED])}, "performance"),
        ({"window": days(CALM, beyond=0.3)}, "drift"),
        ({"new_flights": 70_000}, "new_data"),
        ({"age_days": 61}, "staleness"),
        ({"due": True}, "schedule"),
    ],
)
def test_each_cause_starts_a_training(change: dict[str, Any], cause: str) -> None:
    assert what(replace(SEEN, **change)) == (RETRAIN, cause)


def test_a_bias_that_one_bad_day_explains_is_no_alarm() -> None:
    assert decide(replace(SEEN, window=days([0.0] * 6 + [0.6])), read_policy()) == "no alarm"


def test_a_champion_is_given_a_week_before_it_is_judged() -> None:
    assert decide(replace(SEEN, window=days(BIASED[:6])), read_policy()) == "no alarm"


def test_changing_the_policy_alone_changes_the_decision() -> None:
    policy = read_policy()
    seen = replace(SEEN, window=days(BIASED))
    policy["retraining"]["performance"]["bias"] = 0.2
    assert decide(seen, policy) == "no alarm"
    policy["retraining"]["staleness"]["days"] = 10
    assert what(seen, policy) == (RETRAIN, "staleness")


def test_a_longer_span_in_the_policy_is_looked_at() -> None:
    policy = read_policy()
    before = days_back(policy)
    policy["retraining"]["performance"]["days"] = before + 1
    assert days_back(policy) > before


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"on_trial": True}, "a challenger is on trial"),
        ({"decisions": [taken("2013-05-30")]}, "cooling down since 2013-05-30"),
        ({"decisions": [taken(f"2013-05-{n}") for n in (11, 18, 24)]}, "budget of 3 trainings in 30 days"),
        ({"decisions": [taken("2013-06-02", HOLD, "suspicious feed", None)]}, "held since 2013-06-02"),
    ],
    ids=["on trial", "cool-down", "budget", "held"],
)
def test_a_guard_holds_an_alarm_back(change: dict[str, Any], why: str) -> None:
    said = decide(replace(SEEN, window=days(BIASED), **change), read_policy())
    assert isinstance(said, str)
    assert "performance" in said
    assert why in said


def test_a_measure_that_flaps_every_day_trains_once_per_cool_down() -> None:
    decisions: list[Any] = []
    for day in pd.date_range("2013-06-08", periods=60).strftime("%Y-%m-%d"):
        alarm = replace(SEEN, day=day, window=days(BIASED if int(day[-2:]) % 2 else CALM), decisions=decisions)
        if not isinstance(decide(alarm, read_policy()), str):
            decisions.append(taken(day))
    gaps = pd.Series(pd.to_datetime([each["day"] for each in decisions])).diff().dropna()
    assert len(decisions) >= 3
    assert gaps.min().days >= read_policy()["guards"]["cool_down_days"]


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"jumps": {"mean temp": 2.1}}, "suspicious feed"),
        ({"jumps": {"missing dewp": 6.0}}, "suspicious feed"),
        ({"unmeasured": "TypeError, no numbers"}, "suspicious feed"),
        ({"silent_days": 3}, "stale feed"),
        ({"skew": 0.2}, "skew"),
    ],
)
def test_a_feed_that_cannot_be_trusted_teaches_nobody(change: dict[str, Any], cause: str) -> None:
    seen = replace(SEEN, window=days(BIASED), **change)
    assert what(seen) == (HOLD, cause)
    held = replace(seen, decisions=[taken("2013-06-07", HOLD, cause, None)])
    assert "held since" in str(decide(held, read_policy()))


@pytest.mark.parametrize(
    ("away", "back"),
    [
        ({}, False),  # nobody knows
        ({"mean temp": 2.3, "missing dewp": 0.1}, False),
        ({"mean temp": 0.4, "missing dewp": 6.0}, False),
        ({"mean temp": 0.4, "missing dewp": 0.1, "mean dewp": 3.0}, True),  # what had not jumped may move
    ],
)
def test_a_hold_ends_by_itself_when_all_that_had_jumped_is_back(away: dict[str, float], back: bool) -> None:
    seen_then = {"evidence": {"mean temp": 2.1, "missing dewp": 6.0}}
    hold = taken("2013-06-01", HOLD, "suspicious feed", None) | seen_then
    held = replace(SEEN, window=days(BIASED), decisions=[hold], jumps={"mean temp": 9.0}, away=away)
    if back:
        assert what(held) == (RESUME, "feed is back")
    else:
        assert "held since" in str(decide(held, read_policy()))


def test_a_feed_that_could_not_be_read_is_for_people_to_look_at() -> None:
    unread = replace(SEEN, unmeasured="TypeError, no numbers")
    hold = taken("2013-06-01", HOLD, "suspicious feed", None)
    hold["evidence"] = decide(unread, read_policy())[1].evidence  # type: ignore[union-attr]
    assert "held since" in str(decide(replace(SEEN, window=days(BIASED), decisions=[hold]), read_policy()))


def test_all_that_jumped_must_be_back_however_much_it_was() -> None:
    jumps = {f"missing {name}": 6.0 for name in ("temp", "dewp", "humid", "pressure", "visib")}
    decision = decide(replace(SEEN, jumps=jumps), read_policy())
    assert not isinstance(decision, str)
    hold = taken("2013-06-07", HOLD, "suspicious feed", None) | {"evidence": decision[1].evidence}
    away = dict.fromkeys(jumps, 0.0)
    assert what(replace(SEEN, decisions=[hold], away=away)) == (RESUME, "feed is back")
    for name in jumps:
        still = replace(SEEN, window=days(BIASED), decisions=[hold], away=away | {name: 6.0})
        assert "held since" in str(decide(still, read_policy()))
    assert decision[1].seen.endswith("and 2 more")


def test_rain_is_not_suspicious() -> None:
    assert decide(replace(SEEN, jumps={"mean precip": 5.0}), read_policy()) == "no alarm"


def test_after_three_failures_in_a_row_people_are_asked_once() -> None:
    failures = [taken(day, result="failed: refused") for day in ("2013-03-01", "2013-04-01", "2013-05-01")]
    assert what(replace(SEEN, decisions=failures)) == (HOLD, "failures")
    assert decide(replace(SEEN, decisions=failures[1:]), read_policy()) == "no alarm"
    succeeded = [*failures[:2], taken("2013-05-01")]
    assert decide(replace(SEEN, decisions=succeeded), read_policy()) == "no alarm"
    looked = [*failures, taken("2013-05-02", HOLD, "failures", "ended: looked at")]
    assert decide(replace(SEEN, decisions=looked), read_policy()) == "no alarm"


def test_a_champion_that_does_sudden_harm_is_taken_back_even_while_trainings_are_held() -> None:
    numbers = np.repeat(np.arange(200), 10)
    extra = np.random.default_rng(0).normal(0.2, 0.5, len(numbers))
    held = [taken("2013-06-07", HOLD, "suspicious feed", None)]
    assert what(replace(SEEN, extra=extra, numbers=numbers, decisions=held)) == (ROLL_BACK, "sudden harm")
    assert decide(replace(SEEN, extra=extra - 0.18, numbers=numbers), read_policy()) == "no alarm"


def test_a_small_harm_is_left_to_the_next_training_however_sure_it_is() -> None:
    numbers = np.repeat(np.arange(200), 10)
    extra = np.random.default_rng(0).normal(0.04, 0.1, len(numbers))
    assert decide(replace(SEEN, extra=extra, numbers=numbers), read_policy()) == "no alarm"
    assert what(replace(SEEN, extra=extra + 0.02, numbers=numbers)) == (ROLL_BACK, "sudden harm")


def test_one_flight_is_no_proof() -> None:
    extra, numbers = np.array([12.0]), np.array([0])
    assert decide(replace(SEEN, extra=extra, numbers=numbers), read_policy()) == "no alarm"


def test_harm_that_a_few_flight_numbers_explain_is_no_proof() -> None:
    numbers = np.repeat([0, 1, 2], [10, 980, 1010])
    extra = np.where(numbers == 0, 12.0, 0.0)
    assert decide(replace(SEEN, extra=extra, numbers=numbers), read_policy()) == "no alarm"


def test_a_decision_is_kept_in_order_of_its_day_with_what_came_of_it(tmp_path: Path) -> None:
    with store.open_store(tmp_path / "measures.db") as connection:
        for day in ("2013-06-08", "2013-05-08"):
            store.decide(connection, taken(day, result=None) | {"evidence": {"beyond": 0.3}})
        assert store.result_of(connection, "2013-05-08-drift") is None
        store.conclude(connection, "2013-05-08-drift", "version 2 is challenger")
        kept = store.decisions(connection)
    assert [(each["day"], each["result"]) for each in kept] == [
        ("2013-05-08", "version 2 is challenger"),
        ("2013-06-08", None),
    ]
    assert kept[0]["evidence"] == {"beyond": 0.3}


def test_an_issue_says_what_was_seen_what_was_decided_last_and_by_which_policy(tmp_path: Path) -> None:
    before = [taken(f"2013-05-0{n}") for n in range(1, 8)]
    hold = taken("2013-06-08", HOLD, "suspicious feed", None) | {"policy": policy_hash()}
    text = issues.write(tmp_path / "issues", hold, "mean temp 2.1", before).read_text()
    assert "mean temp 2.1" in text
    assert hashlib.sha256(POLICY.read_bytes()).hexdigest() in text
    assert [f"2013-05-0{n}" in text for n in range(1, 8)] == [False, False, True, True, True, True, True]
    assert [path.name for path in (tmp_path / "issues").iterdir()] == ["2013-06-08-suspicious feed.md"]
