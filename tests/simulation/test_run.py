"""Five days with an incident at two levels, stopped and resumed, held against what is committed.

`WRITE=1 python -m pytest tests/simulation/test_run.py -m slow` writes the committed result again.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import shared.simulation.run
import shared.simulation.scenario
from shared import base
from shared.scoreboard.build import of_scenarios, scenarios
from shared.scoreboard.result import Result
from shared.simulation.run import simulate
from shared.simulation.scenario import USUAL, Scenario, is_finished
from shared.world.dataset import load_year
from shared.world.period import Period

from ..conftest import ROOT, elsewhere
from ..test_docs import STORY

COMMITTED = Path(__file__).with_name("short_year.json")
PERIOD = Period(date(2013, 3, 18), date(2013, 3, 22))
LEVELS = (0, 1)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Simulate the days at each level, calm and with the incident; the last one is stopped in the middle."""
    with elsewhere(tmp_path_factory.mktemp("stage")):
        for level in LEVELS:
            with_incidents, calm = scenarios(level, PERIOD, USUAL)
            simulate(calm)
            if level == LEVELS[-1]:
                stop_on(date(2013, 3, 21), with_incidents)
            simulate(with_incidents)
        year = load_year(base.WORKSPACES / "year")
        yield {str(level): summed_up(level, of_scenarios(level, PERIOD, year, USUAL)[0]) for level in LEVELS}


def stop_on(day: date, scenario: Scenario) -> None:
    """Simulate until a day, and press Ctrl-C when its questions are to be asked."""
    with pytest.MonkeyPatch.context() as patch:
        ask = shared.simulation.run.Simulation._ask

        def stop(self: Any, today: date, flights: Any) -> None:
            if today == day:
                raise KeyboardInterrupt
            ask(self, today, flights)

        patch.setattr(shared.simulation.run.Simulation, "_ask", stop)
        with pytest.raises(KeyboardInterrupt):
            simulate(scenario)
    assert not is_finished(scenario)
    assert scenario.event_log().events[-1]["day"] == str(day)


def summed_up(level: int, figures: dict[str, Any]) -> dict[str, Any]:
    """Return the figures and what happened, without the digests of models."""
    event_log = scenarios(level, PERIOD, USUAL)[0].event_log()
    names = ("day", "event", "kind", "id", "phase", "by", "ok", "answered")
    happened = [" ".join(str(event[name]) for name in names if name in event) for event in event_log.events]
    return {"figures": figures, "happened": happened}


@pytest.mark.full
@pytest.mark.slow
def test_the_short_year_is_as_committed(simulated: dict[str, Any]) -> None:
    if os.environ.get("WRITE"):
        COMMITTED.write_text(json.dumps(simulated, indent=1, sort_keys=True) + "\n")
    assert simulated == json.loads(COMMITTED.read_text())


@pytest.mark.full
@pytest.mark.slow
def test_what_was_not_answered_is_harm(simulated: dict[str, Any]) -> None:
    for level in simulated.values():
        found = level["figures"]["incidents"]["schema"]
        assert (found["flights_unanswered"], found["flights_moved"], found["days_to_recover"]) == (970, 0, 1)
        assert found["models"]["mean"] == 0


@pytest.mark.full
@pytest.mark.slow
def test_the_replay_gives_what_was_answered(simulated: dict[str, Any]) -> None:
    year = load_year(base.WORKSPACES / "year")
    for level in LEVELS:
        for scenario in scenarios(level, PERIOD, USUAL):
            Result.read(scenario, year).check_replay()  # also after being stopped and resumed


@pytest.mark.slow
def test_the_command_that_documents_show_tells_the_story(ports: dict[str, str], checkout: Path) -> None:
    done = subprocess.run(["bash", "-c", STORY], cwd=checkout, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "[schema begins] a column is renamed upstream" in done.stdout
    assert "people, because of first model: run-notebook, judge, pick-up" in done.stdout
    assert "no predictions" in done.stdout
    assert re.search(r"[\d,]+ of [\d,]+ flights answered, log loss 0\.\d{4}", done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["LEVEL=9"], "there is no level 9: choose one of 0 (level0_notebook)"),
        (["LEVEL=0", "INCIDENTS=sharknado"], "there is no incident 'sharknado': choose among schema"),
        (["LEVEL=0", "INCIDENTS=gap", "FROM=2013-06-01"], "these days have no gap (2013-04-08 to 2013-04-14)"),
        (["LEVEL=0", "DAYS=400"], "do not fit"),
    ],
)
def test_what_cannot_be_simulated_is_explained(arguments: list[str], message: str) -> None:
    done = subprocess.run(["make", "simulate", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert message in " ".join((done.stdout + done.stderr).split())
