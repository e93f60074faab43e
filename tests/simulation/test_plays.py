"""Scenarios that are simulated side by side come out as they do alone; one that fails loses no other."""

import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from shared import base
from shared.base import StageError
from shared.simulation import plays
from shared.simulation.plays import simulate_all
from shared.simulation.run import simulate
from shared.simulation.scenario import NOBODY, USUAL, Scenario, is_finished
from shared.world.incidents import INCIDENTS
from shared.world.period import Period

from ..conftest import elsewhere

PERIOD = Period(date(2013, 3, 18), date(2013, 3, 21))
SCENARIOS = [Scenario(1, PERIOD, (INCIDENTS["schema"],), USUAL), Scenario(1, PERIOD, (), NOBODY)]
SIDE_BY_SIDE = """
from tests.simulation.test_plays import SCENARIOS, simulate_all
simulate_all(SCENARIOS, 2)
"""


@pytest.mark.full
@pytest.mark.slow
def test_side_by_side_they_come_out_as_they_do_alone(
    tmp_path_factory: pytest.TempPathFactory, ports: dict[str, str], checkout: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SIDE_BY_SIDE], cwd=checkout, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "level 1, with incidents, people: usual: 2013-03-20: [schema begins] a column" in done.stdout
    assert "level 1, calm, people: none: 2013-03-18: people, because of first model" in done.stdout
    assert not list((checkout / ".stage").glob("simulated*"))
    with elsewhere(tmp_path_factory.mktemp("stages")):
        for scenario in SCENARIOS:
            simulate(scenario)
            assert is_finished(scenario)
            alone, beside = (
                folder / scenario.folder().relative_to(base.WORKSPACES)
                for folder in (base.WORKSPACES, checkout / ".stage")
            )
            names = ["events.jsonl", *(f"answers/{path.name}" for path in (alone / "answers").iterdir())]
            assert len(names) == 1 + PERIOD.length
            for name in names:
                assert (alone / name).read_bytes() == (beside / name).read_bytes(), name


def test_one_that_fails_is_named_after_all_others_are_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(base, "WORKSPACES", tmp_path)
    monkeypatch.setattr(plays, "load_year", lambda _: None)
    for scenario in SCENARIOS:
        scenario.workspace().mkdir()
    fails = {USUAL: "echo it broke; exit 1", NOBODY: "echo fine"}
    monkeypatch.setattr(plays, "command", lambda scenario: ["sh", "-c", fails[scenario.people]])
    with pytest.raises(StageError, match=r"1 of 2 simulations failed.*: level 1, with incidents, people: usual"):
        simulate_all(SCENARIOS, 1)
    assert "people: usual: it broke" in (printed := capsys.readouterr().out)
    assert "people: none: fine" in printed
    assert [scenario.workspace().exists() for scenario in SCENARIOS] == [True, False]
