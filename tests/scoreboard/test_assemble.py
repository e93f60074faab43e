"""From the files of simulations to the page: of six weeks with four incidents at three levels, all made up."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared import base
from shared.base import StageError
from shared.scoreboard import cost
from shared.scoreboard.build import assemble, scenarios, write
from shared.scoreboard.page import page
from shared.simulation.scenario import NOBODY, USUAL, Scenario
from shared.world.dataset import Year, days, load_year, write_whole
from shared.world.incidents import feed
from shared.world.period import Period

from ..conftest import YEAR, elsewhere

pytestmark = pytest.mark.slow

PERIOD = Period(date(2013, 10, 28), date(2013, 12, 8))
LEVELS = (0, 1, 2)
RELEASED = date(2013, 11, 5)  # the second model of level 2


def play(scenario: Scenario, year: Year) -> None:
    """Write the files of a simulation whose models look at the humidity; the second one has learned more."""
    event_log = scenario.event_log()
    event_log.path.parent.mkdir(parents=True)
    event_log.add(scenario.header())
    models = {f"m/{n}": learned * _humid(year, PERIOD) / 100 for n, learned in ((1, 0.3), (2, 0.5))}
    write_whole(pd.DataFrame(models), scenario.replayed(), index=True)
    for day in days(PERIOD.first, PERIOD.last):
        name = "m/2" if scenario.level > 1 and day >= RELEASED and scenario.people == USUAL else "m/1"
        if (last := event_log.last("deployment")) is None or last["name"] != name:
            event_log.write(day, "training", by="manual", registered=True, name=name)
            event_log.write(day, "deployment", kind="model", name=name, share=1.0, by="people")
        flights = feed(year, day, scenario.incidents)[f"flights/{day}"].set_index("flight_id")
        answers = flights["humid"].fillna(50.0) * (0.3 if name == "m/1" else 0.5) / 100
        table = pd.DataFrame({"late_probability": answers, "model": name, "intercept": 0.0})
        if scenario.people == NOBODY and scenario.level == 0:
            table[:] = np.nan
        write_whole(table, scenario.folder() / "answers" / f"{day}.parquet", index=True)
        event_log.write(day, "day")
    (scenario.folder() / "timings.jsonl").write_text(json.dumps({"what": "start", "seconds": 1}) + "\n")


def _humid(year: Year, period: Period) -> "pd.Series[float]":
    flights = pd.concat([year.flights_of(day) for day in days(period.first, period.last)])
    return flights.set_index("flight_id")["humid"].fillna(50.0)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    year = load_year(YEAR)
    with elsewhere(tmp_path_factory.mktemp("stage")), pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost, "lines", lambda level: {"code": 100 * level, "tests": 1})
        patch.setattr(cost, "packages", lambda level: {"packages": 50, "packages_mb": 500})
        for level in LEVELS:
            for people in (USUAL, NOBODY):
                for scenario in scenarios(level, PERIOD, people):
                    play(scenario, year)
        load_year(base.WORKSPACES / "year")
        yield assemble(PERIOD, list(LEVELS))


def test_spoilt_input_is_told_from_other_models(board: dict[str, Any]) -> None:
    for level in board["levels"].values():
        humidity, partial = level["incidents"]["humidity"], level["incidents"]["partial"]
        assert humidity["flights_moved"] > 5_000
        assert humidity["inputs"]["mean"] > 0.05
        assert humidity["days_to_recover"] == 10
        assert (partial["outcome"], partial["flights_unanswered"], partial["inputs"]) == ("no harm", 0, None)
        assert {impact["models"]["mean"] for impact in level["incidents"].values()} == {0}


def test_who_releases_a_better_model_is_better_by_what_it_gains(board: dict[str, Any]) -> None:
    assert board["differences"]["1-0"]["calm"]["mean"] == 0
    found = board["differences"]["2-1"]["calm"]
    gained = sum(gain for _, gain in board["gains"]["2"]["calm"].values())
    flights = sum(count for count, _ in board["gains"]["2"]["calm"].values())
    assert found["mean"] == pytest.approx(-gained / flights, abs=1e-4)
    assert board["levels"]["2"]["nobody"]["against_people"]["calm"]["mean"] == pytest.approx(-found["mean"])


def test_all_of_it_is_written(board: dict[str, Any], tmp_path: Path) -> None:
    rows = re.findall(
        r"^\| (?:partial|timezone|stuck|humidity|models worse|AUC|change fail rate) \|.*", page(board), re.M
    )
    assert len(rows) == 11
    assert not any("waits" in row for row in rows)
    assert all(path.stat().st_size for path in write(board, tmp_path))


def test_answers_that_the_replay_does_not_give_are_not_published(board: dict[str, Any]) -> None:
    calm = scenarios(1, PERIOD, USUAL)[1]
    path = calm.folder() / "answers" / f"{PERIOD.first}.parquet"
    table = pd.read_parquet(path)
    table.assign(late_probability=table["late_probability"] + 0.01).to_parquet(path)
    with pytest.raises(StageError, match="the replay of level 1's calm year differs from"):
        assemble(PERIOD, [1])
