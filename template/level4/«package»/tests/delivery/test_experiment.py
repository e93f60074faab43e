"""The A/B test: what it decides, from what, and what it does not count twice."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ...config.database import DatabaseError
from ...config.problem import ID, «threshold», NAME, OUTCOME, OUTCOMES, ROUTED_BY, ROWS, TIME
from ...data.schema import Instance
from ...delivery.experiment import PATIENCE, Plan, judge, paired_answers
from ...serving.prediction_log import (
    Logged,
    append,
    experiment_predictions,
    open_log,
    predictions_since,
)
from ..arms import arm
from ..example import numbered

ROUTINE, CHANGE = Plan(7, 0.5, is_change=False), Plan(7, 0.5, is_change=True)
LABEL = float(«threshold»)
OLD, NEW = f"{NAME}/1@0", f"{NAME}/2@0"


def answers(better_by: float, days: int = 7, spread: float = 0.0, landed: int | None = None) -> pd.DataFrame:
    """Return days of a thousand instances, half of them served by a challenger that is so much nearer to the truth.

    Args:
        better_by: in probability.
        days: of instances.
        spread: of `better_by` from day to day.
        landed: days whose outcomes have landed; None: all.
    """
    random = np.random.default_rng(0)
    day = np.arange(days).repeat(1_000)
    gain = (better_by + random.normal(0, spread, days))[day]
    label = random.random(len(day)) < 0.3
    table = pd.DataFrame(
        {
            ID: np.arange(len(day)),
            "day": [f"2013-07-{n + 1:02}" for n in day],
            "routing_key": np.tile(np.arange(1_000), days),
            "arm": np.where(np.tile(np.arange(1_000), days) % 2, "challenger", "champion"),
            "champion": 0.5,
            "challenger": np.where(label, 0.5 + gain, 0.5 - gain),
            OUTCOME: np.where(label, LABEL, 0.0),
        }
    )
    return table if landed is None else table.assign(**{OUTCOME: table[OUTCOME].where(day < landed)})


@pytest.mark.parametrize(
    ("better_by", "routine", "change"),
    [(0.05, "promote", "promote"), (0.001, "promote", "withdraw"), (-0.05, "withdraw", "withdraw")],
)
def test_a_retraining_must_not_be_worse_and_a_change_must_be_better(
    better_by: float, routine: str, change: str
) -> None:
    uncertain = answers(better_by, spread=0.02)
    assert judge(uncertain, ROUTINE).verdict == routine
    assert judge(uncertain, CHANGE).verdict == change


def test_it_lasts_as_long_as_was_planned_whatever_it_looks_like() -> None:
    assert judge(answers(-0.2, days=6), ROUTINE).verdict == "continue"
    assert judge(answers(-0.2, days=7, landed=6), ROUTINE).verdict == "continue"
    assert judge(answers(-0.2, days=7), ROUTINE).verdict == "withdraw"


def test_instances_do_not_make_up_for_days() -> None:
    """Seven thousand instances, and on four days of seven the challenger is better."""
    standing = judge(answers(0.005, spread=0.05), CHANGE)
    assert standing.excess is not None
    assert standing.excess.lower(0.975) < 0 < standing.excess.upper(0.975)
    assert standing.verdict == "withdraw"


def test_an_experiment_without_outcomes_still_ends() -> None:
    assert judge(answers(0.1, days=7 + PATIENCE - 1, landed=0), ROUTINE).verdict == "continue"
    standing = judge(answers(0.1, days=7 + PATIENCE, landed=0), ROUTINE)
    assert standing.verdict == "withdraw"
    assert "have not landed" in standing.why
    assert judge(answers(0.1).head(0), ROUTINE).verdict == "continue"


def test_another_share_than_planned_is_an_error_of_the_experiment() -> None:
    short = answers(0.05, days=1)
    assert judge(short, ROUTINE).verdict == "continue"
    few = short[(short["arm"] == "champion") | (short["routing_key"] % 4 == 1)]
    standing = judge(few, ROUTINE)
    assert standing.verdict == "withdraw"
    assert "an error of the experiment" in str(standing)
    assert "33.3% of instances" in str(standing)


def test_a_share_that_chance_explains_is_none() -> None:
    """Each of twenty is asked about fifty times a day."""
    frequent = np.repeat(np.arange(20), 50)
    table = answers(0.05, days=1).assign(
        routing_key=frequent, arm=np.where(frequent < 13, "challenger", "champion")
    )
    assert judge(table, ROUTINE).verdict == "continue"


def arms(experiment: str, share: float, instances: int = 5_000) -> list[str]:
    """Return the arms of so many instances that are routed by themselves."""
    return [arm(numbered(number), experiment, share) for number in range(1, instances + 1)]


def test_routing_is_sticky_and_about_the_share() -> None:
    routed = arms("trial", 0.2)
    assert routed == arms("trial", 0.2)
    assert 0.18 < routed.count("challenger") / len(routed) < 0.22
    assert routed != arms("another", 0.2)
    assert set(arms("trial", 0.0, instances=100)) == {"champion"}


def id_of(instance: int, day: int = 1) -> str:
    return f"2013-07-{day:02}-{instance}"


def logged(instance: int, challenger: float, champion: float, arm: str = "challenger", day: int = 1) -> Logged:
    known = numbered(instance) | {ID: id_of(instance, day), TIME: f"2013-07-{day:02}T06:30"}
    asked = Instance.model_validate(known)
    if arm == "challenger":
        return Logged(asked, arm, NEW, challenger, "trial", {OLD: champion})
    return Logged(asked, arm, OLD, champion, "trial", {NEW: challenger})


@pytest.fixture
def log(tmp_path: Path) -> Path:
    with open_log(tmp_path / "predictions.db") as connection:
        append(connection, [logged(1, 0.9, 0.5), logged(2, 0.1, 0.6, "champion"), logged(3, 0.5, 0.7)])
    return tmp_path / "predictions.db"


def publish(data: Path, *instances: int, day: int = 1) -> None:
    """Publish instances as the upstream does; only their names matter here."""
    (data / ROWS).mkdir(parents=True, exist_ok=True)
    routed_by = {name: [numbered(instance)[name] for instance in instances] for name in ROUTED_BY}
    table = pd.DataFrame(routed_by | {ID: [id_of(instance, day) for instance in instances]})
    table.to_parquet(data / ROWS / f"2013-07-{day:02}.parquet")


def outcomes(data: Path, *rows: tuple[int, float | None]) -> Path:
    folder = data / OUTCOMES
    folder.mkdir(parents=True, exist_ok=True)
    publish(data, *range(1, 5_001))
    ids, delays = [id_of(instance) for instance, _ in rows], [delay for _, delay in rows]
    table = pd.DataFrame({ID: ids, OUTCOME: pd.Series(delays, dtype=float)})
    table.to_parquet(folder / f"2013-07-{len(list(folder.iterdir())) + 1:02}.parquet")
    return data


def of_trial(log: Path, data: Path, since: str = "2013-07-01") -> pd.DataFrame:
    table = paired_answers(experiment_predictions(log, "trial"), OLD, NEW, data, since)
    return table.sort_values("routing_key", ignore_index=True)


def test_both_models_answers_are_joined_with_the_outcomes(log: Path, tmp_path: Path) -> None:
    table = of_trial(log, outcomes(tmp_path / "o", (1, LABEL), (2, 0.0)))
    assert table["arm"].tolist() == ["challenger", "champion", "challenger"]
    assert table["champion"].tolist() == [0.5, 0.6, 0.7]
    assert table["challenger"].tolist() == [0.9, 0.1, 0.5]
    assert table[OUTCOME].fillna(-1).tolist() == [LABEL, 0.0, -1.0]


def test_what_comes_twice_counts_once_with_its_last_answer_and_outcome(log: Path, tmp_path: Path) -> None:
    with open_log(log) as connection:
        append(connection, [logged(1, 0.8, 0.5)])
    folder = outcomes(tmp_path / "o", (1, LABEL), (3, None))
    outcomes(folder, (1, 0.0), (1, 0.0))
    table = of_trial(log, folder)
    assert len(table) == 3
    assert (table["challenger"][0], table[OUTCOME][0]) == (0.8, 0.0)


def test_outcomes_from_before_the_experiment_are_not_read(log: Path, tmp_path: Path) -> None:
    data = outcomes(tmp_path / "o")
    (data / OUTCOMES / "2013-06-30.parquet").write_text("whatever")
    assert len(of_trial(log, data)) == 3
    assert of_trial(log, data)[OUTCOME].isna().all()


def test_a_question_about_no_published_instance_does_not_count(log: Path, tmp_path: Path) -> None:
    with open_log(log) as connection:
        append(connection, [logged(6_000, 0.9, 0.1), logged(7, 0.9, 0.1, day=2)])
    assert len(of_trial(log, outcomes(tmp_path / "o"))) == 3


def test_a_instance_counts_on_its_own_day_whatever_time_it_was_asked_with(log: Path, tmp_path: Path) -> None:
    asked = logged(4, 0.9, 0.1)
    another_day = asked.instance.model_copy(update={TIME: datetime(2001, 1, 1)})
    with open_log(log) as connection:
        append(connection, [replace(asked, instance=another_day)])
    assert of_trial(log, outcomes(tmp_path / "o"))["day"].tolist() == ["2013-07-01"] * 4


def test_a_instance_from_before_the_experiment_does_not_count(log: Path, tmp_path: Path) -> None:
    data = outcomes(tmp_path / "o", (1, LABEL))
    publish(data, 1, 2, day=2)
    with open_log(log) as connection:
        append(connection, [logged(2, 0.9, 0.1, day=2)])
    table = of_trial(log, data, since="2013-07-02")
    assert table[ID].tolist() == [id_of(2, day=2)]


def test_an_unreadable_day_stops_no_review(log: Path, tmp_path: Path) -> None:
    data = outcomes(tmp_path / "o", (1, LABEL))
    pd.DataFrame({"another": [1]}).to_parquet(data / ROWS / "2013-07-02.parquet")
    assert len(of_trial(log, data)) == 3


def test_a_instance_that_only_one_of_the_models_answered_does_not_count(log: Path, tmp_path: Path) -> None:
    """As when the service has dropped the challenger."""
    alone = logged(4, 0.5, 0.5, "champion")
    with open_log(log) as connection:
        append(connection, [Logged(alone.instance, "champion", OLD, 0.5, "trial")])
    assert len(of_trial(log, outcomes(tmp_path / "o", (4, 0.0)))) == 3


def test_another_experiment_has_its_own_answers_and_another_day_too(log: Path) -> None:
    with open_log(log) as connection:
        append(connection, [logged(1, 0.5, 0.5, day=2)])
    assert not experiment_predictions(log, "another")
    assert len(experiment_predictions(log, "trial")) == 4
    assert [row[ID][:10] for row in predictions_since(log, "2013-07-02")] == ["2013-07-02"]


def test_nearly_every_answer_meets_its_outcome_and_none_meets_two(tmp_path: Path) -> None:
    served, random = 5_000, np.random.default_rng(0)
    twice, label = ((random.choice(served, 500, replace=False) + 1).tolist() for _ in range(2))
    with open_log(tmp_path / "predictions.db") as connection:
        append(connection, [logged(instance, 0.5, 0.4) for instance in range(1, served + 1)])
        append(connection, [logged(instance, 0.6, 0.4) for instance in twice])
    never = {17, 1_234, 4_999, 5_000}
    ended = [instance for instance in range(1, served + 1) if instance not in never]
    folder = outcomes(tmp_path / "o", *((instance, LABEL) for instance in ended if instance not in label))
    outcomes(folder, *((instance, LABEL) for instance in ended if instance in label))
    outcomes(folder, *((instance, LABEL) for instance in ended[:700]))  # published a second time
    table = of_trial(tmp_path / "predictions.db", folder)
    assert len(table) == served
    assert table[OUTCOME].isna().sum() == len(never)
    assert (table["challenger"] == 0.6).sum() == len(twice)  # the last answer counts


@pytest.mark.parametrize("changes", [{"«prediction»": float("nan")}, {"others": {OLD: float("nan")}}])
def test_the_answers_of_a_request_are_logged_all_or_none(log: Path, changes: dict[str, Any]) -> None:
    broken = Logged(**vars(logged(10, 0.5, 0.5)) | changes)
    with open_log(log) as connection, pytest.raises((DatabaseError, ValueError)):
        append(connection, [logged(9, 0.5, 0.5), broken])
    with open_log(log) as connection:
        assert len(connection.rows("SELECT * FROM predictions")) == 3


def test_a_log_can_be_read_by_model(log: Path) -> None:
    query = "SELECT json_extract(others, ?) AS other FROM predictions WHERE model = ? ORDER BY id"
    with open_log(log) as connection:
        rows = connection.rows(query, [f'$."{OLD}"', NEW])
    assert [row["other"] for row in rows] == [0.5, 0.7]
