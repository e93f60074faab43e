"""What is kept of the questions of a day: with a stage that is made up, so that its answers are known."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from shared import base
from shared.simulation.run import Simulation
from shared.simulation.scenario import USUAL, Scenario, is_finished
from shared.stack.stage import Answer, Stage
from shared.world.dataset import Year, load_year
from shared.world.incidents import INCIDENTS, feed
from shared.world.period import Period

from ..conftest import YEAR, elsewhere

DAY = date(2013, 10, 28)


@pytest.fixture(scope="module")
def year() -> Year:
    return load_year(YEAR)


@pytest.fixture
def simulation(tmp_path: Path, year: Year) -> Iterator[Simulation]:
    with elsewhere(tmp_path):
        scenario = Scenario(1, Period(DAY, DAY), (INCIDENTS["partial"],), USUAL)
        scenario.folder().mkdir(parents=True)
        event_log = scenario.event_log()
        event_log.write(DAY, "deployment", kind="model", name="m/1", share=1.0, by="people")
        yield Simulation(scenario, Stage(1, base.WORKSPACES / "level1"), event_log, year, started=0.0)


def asked(simulation: Simulation, flights: pd.DataFrame, answers: dict[str, Answer]) -> pd.DataFrame:
    """Let the stage give these answers, and return what is kept of them."""
    simulation.stage.ask = lambda day, text: answers  # type: ignore[method-assign, assignment]
    simulation._ask(DAY, flights)
    return pd.read_parquet(simulation.scenario.folder() / "answers" / f"{DAY}.parquet")


def test_flights_that_were_not_published_are_not_counted(simulation: Simulation, year: Year) -> None:
    flights = feed(year, DAY, [INCIDENTS["partial"]])[f"flights/{DAY}"]
    kept = asked(simulation, flights, {name: Answer(0.2) for name in flights["flight_id"]})
    served = simulation.event_log.of("served")[-1]
    assert served["flights"] == served["answered"] == len(flights) == len(kept) < len(year.flights_of(DAY))
    assert served["arrived"] <= served["answered"]


def test_an_answer_is_kept_with_its_model_and_its_intercept(simulation: Simulation, year: Year) -> None:
    flights = year.flights_of(DAY)
    one, other, third, *rest = flights["flight_id"]
    given = {one: Answer(0.2, "m/2@abc", intercept=0.1), other: Answer(0.3), third: Answer(0.4, "m/3")}
    kept = asked(simulation, flights, given)
    assert list(kept.loc[one]) == [0.2, "m/2", 0.1]
    assert list(kept.loc[other]) == [0.3, "m/1", 0.0]  # a level that names no model: the one released last
    assert kept.loc[rest].isna().all(axis=None)


def test_every_model_that_answered_is_replayed(
    simulation: Simulation, year: Year, monkeypatch: pytest.MonkeyPatch
) -> None:
    flights = year.flights_of(DAY)
    asked(simulation, flights, {flights["flight_id"][0]: Answer(0.4, "m/3")})
    asked_for: list[str] = []

    def remember(names: list[str], flights: pd.DataFrame, *_: object) -> pd.DataFrame:
        asked_for.extend(names)
        return flights.set_index("flight_id")[["humid"]]

    monkeypatch.setattr("shared.simulation.run.replay", remember)
    assert not is_finished(simulation.scenario)
    simulation._replay()
    assert asked_for == ["m/1", "m/3"]
    assert len(pd.read_parquet(simulation.scenario.replayed())) == len(flights)


def test_a_day_without_answers_is_kept_too(simulation: Simulation, year: Year) -> None:
    kept = asked(simulation, year.flights_of(DAY), {})
    assert kept["late_probability"].dtype == float
    assert simulation.event_log.of("served")[-1]["answered"] == 0
