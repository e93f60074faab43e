"""The A/B test: what it decides, from what, and what it does not count twice."""

import math
import sqlite3
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ...data.schema import Flight
from ...delivery.experiment import MAX_DAYS, MIN_DAYS, MIN_FLIGHTS, half_width, judge, read
from ...serving.prediction_log import Logged, append, open_log
from ...serving.routing import arm_of

TODAY = date(2013, 7, 2)


def noise(flights: int, mean: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(mean, 0.25, flights), random.integers(0, 500, flights)


@pytest.mark.parametrize(("mean", "verdict"), [(0.05, "promote"), (-0.05, "withdraw"), (0.0, "continue")])
def test_a_clear_difference_is_decided_and_none_is_not(mean: float, verdict: str) -> None:
    assert judge(*noise(3_000, mean), 10, 10).verdict == verdict


def test_nothing_is_decided_before_a_week_and_a_thousand_flights() -> None:
    assert judge(*noise(3_000, 0.1), MIN_DAYS - 1, MIN_DAYS).verdict == "continue"
    assert judge(*noise(MIN_FLIGHTS - 1, 0.2), MIN_DAYS, MIN_DAYS).verdict == "continue"
    assert judge(*noise(MIN_FLIGHTS, 0.2), MIN_DAYS, MIN_DAYS).verdict == "promote"


def test_without_proof_the_champion_stays_in_the_end() -> None:
    assert judge(*noise(3_000, 0.0), MAX_DAYS, MAX_DAYS).verdict == "withdraw"
    assert judge(np.array([]), np.array([], dtype=int), 0, MAX_DAYS).verdict == "withdraw"


def test_an_experiment_whose_answers_stopped_still_ends() -> None:
    assert judge(*noise(500, 0.1), 5, MAX_DAYS - 1).verdict == "continue"
    assert judge(*noise(500, 0.1), 5, MAX_DAYS).verdict == "withdraw"


def test_identical_models_are_never_decided() -> None:
    assert judge(np.zeros(5_000), np.arange(5_000), MAX_DAYS - 1, MAX_DAYS - 1).verdict == "continue"


def test_the_sequence_is_wider_than_a_single_look_allows_and_narrows() -> None:
    single_look = 1.96 * 0.25 / np.sqrt(2_000)
    assert single_look < half_width(2_000, 0.25) < 2 * single_look
    assert half_width(8_000, 0.25) < half_width(2_000, 0.25)


def test_few_flight_numbers_that_differ_much_prove_little() -> None:
    numbers = np.repeat(np.arange(20), 100)
    differences = np.random.default_rng(3).normal(0.02, 0.1, 20)[numbers]
    few, many = (judge(differences, flight_numbers, 10, 10) for flight_numbers in (numbers, np.arange(2_000)))
    assert few.half_width is not None
    assert many.half_width is not None
    assert few.half_width > 2 * many.half_width


def test_routing_is_sticky_and_about_the_share() -> None:
    arms = [arm_of("UA", n, "trial", 0.2) for n in range(5_000)]
    assert arms == [arm_of("UA", n, "trial", 0.2) for n in range(5_000)]
    assert 0.18 < arms.count("challenger") / 5_000 < 0.22
    assert arms != [arm_of("UA", n, "another", 0.2) for n in range(5_000)]
    assert {arm_of("UA", n, "trial", 0.0) for n in range(100)} == {"champion"}


def logged(flight: int, challenger: float, champion: float) -> Logged:
    asked = Flight(
        flight_id=f"2013-07-01-UA{flight}-EWR",
        scheduled_departure=datetime(2013, 7, 1, 6, 30),
        origin="EWR",
        dest="IAH",
        carrier="UA",
        flight=flight,
        distance=1400,
    )
    return Logged(asked, "challenger", "flight-delays/2@0", challenger, "trial", champion)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    with open_log(tmp_path / "predictions.db") as connection:
        append(connection, [logged(1, 0.9, 0.5), logged(2, 0.1, 0.5), logged(3, 0.5, 0.5)])
    return tmp_path / "predictions.db"


def outcomes(folder: Path, *rows: tuple[int, float | None]) -> Path:
    folder.mkdir(exist_ok=True)
    ids, delays = [f"2013-07-01-UA{flight}-EWR" for flight, _ in rows], [delay for _, delay in rows]
    table = pd.DataFrame({"flight_id": ids, "arrival_delay": pd.Series(delays, dtype=float)})
    table.to_parquet(folder / f"2013-07-{len(list(folder.iterdir())) + 1:02}.parquet")
    return folder


def test_answers_and_outcomes_are_joined(log: Path, tmp_path: Path) -> None:
    landed = outcomes(tmp_path / "o", (1, 60.0), (2, 0.0))
    differences, numbers, days, age = read(log, landed, "trial", date(2013, 7, 4))
    assert differences == pytest.approx([np.log(0.9 / 0.5), np.log(0.9 / 0.5)])
    assert (len(set(numbers)), days, age) == (2, 1, 3)


def test_what_comes_twice_counts_once_and_what_never_comes_not_at_all(log: Path, tmp_path: Path) -> None:
    with open_log(log) as connection:
        append(connection, [logged(1, 0.8, 0.5)])  # asked again: the last answer counts
    folder = outcomes(tmp_path / "o", (1, 60.0), (3, None))
    outcomes(folder, (1, 60.0), (1, 60.0))
    differences, *_ = read(log, folder, "trial", TODAY)
    assert differences == pytest.approx([np.log(0.8 / 0.5)])


def test_outcomes_from_before_the_experiment_are_not_read(log: Path, tmp_path: Path) -> None:
    folder = tmp_path / "o"
    folder.mkdir()
    (folder / "2013-06-30.parquet").write_text("whatever")
    assert len(read(log, folder, "trial", date(2013, 7, 4))[0]) == 0
    assert read(log, folder, "trial", date(2013, 7, 4))[3] == 3
    outcomes(folder, (9, 0.0))  # 2 July: no flight of the experiment
    outcomes(folder, (1, 60.0), (2, 0.0))
    assert len(read(log, folder, "trial", date(2013, 7, 4))[0]) == 2


def test_nearly_every_answer_meets_its_outcome_and_none_meets_two(tmp_path: Path) -> None:
    served, random = 5_000, np.random.default_rng(0)
    twice, late = ((random.choice(served, 500, replace=False) + 1).tolist() for _ in range(2))
    with open_log(tmp_path / "predictions.db") as connection:
        append(connection, [logged(flight, 0.5, 0.4) for flight in range(1, served + 1)])
        append(connection, [logged(flight, 0.6, 0.4) for flight in twice])
    never = {17, 1_234, 4_999, 5_000}
    ended = [flight for flight in range(1, served + 1) if flight not in never]
    folder = outcomes(tmp_path / "o", *((flight, 60.0) for flight in ended if flight not in late))
    on_time = len(read(tmp_path / "predictions.db", folder, "trial", TODAY)[0])
    outcomes(folder, *((flight, 60.0) for flight in ended if flight in late))
    outcomes(folder, *((flight, 60.0) for flight in ended[:700]))  # published a second time
    differences, numbers, *_ = read(tmp_path / "predictions.db", folder, "trial", TODAY)
    assert on_time < len(differences) == len(set(numbers)) == served - len(never)
    assert len(differences) / served >= 0.999
    assert np.isclose(differences, np.log(0.6 / 0.4)).sum() == len(set(twice) - never)  # the last answer counts


def test_another_experiment_has_its_own_answers(log: Path, tmp_path: Path) -> None:
    assert len(read(log, outcomes(tmp_path / "o", (1, 60.0)), "another", TODAY)[0]) == 0


def test_the_answers_of_a_request_are_logged_all_or_none(log: Path) -> None:
    with open_log(log) as connection, pytest.raises(sqlite3.IntegrityError):
        append(connection, [logged(9, 0.5, 0.5), logged(10, math.nan, 0.5)])
    with open_log(log) as connection:
        assert connection.execute("SELECT count(*) FROM predictions").fetchone()[0] == 3
