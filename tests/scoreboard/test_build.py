"""The scoreboard: what is committed is what its figures say, and its sentences hold."""

import json
import re
from typing import Any

import pytest

from shared.base import levels
from shared.scoreboard import cost, glance
from shared.scoreboard.build import YEAR, to_json
from shared.scoreboard.compare import scale
from shared.scoreboard.page import page
from shared.scoreboard.plots import draw
from shared.scoreboard.takeaways import TAKEAWAYS, schedule, takeaways, when_to_stop
from shared.simulation.operator_model import read_assumptions
from shared.world.dataset import load_year
from shared.world.incidents import INCIDENTS

from ..conftest import ROOT
from ..conftest import YEAR as YEAR_READ

COMMITTED = ROOT / "docs" / "scoreboard.json"


@pytest.fixture
def board() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(COMMITTED.read_text())
    return loaded


def test_the_page_is_what_the_figures_say(board: dict[str, Any]) -> None:
    assert page(board) == (ROOT / "docs" / "scoreboard.md").read_text()


def test_the_figures_are_written_as_they_are_always_written(board: dict[str, Any]) -> None:
    assert to_json(board) == COMMITTED.read_text()


@pytest.mark.parametrize("takeaway", TAKEAWAYS, ids=lambda takeaway: str(takeaway.__name__))
def test_each_takeaway_is_borne_by_the_figures(board: dict[str, Any], takeaway: Any) -> None:
    """A sentence that no longer holds is left out of the page, and missed here."""
    try:
        assert takeaway(board)
    except KeyError:
        pytest.skip("it is about a level or a simulation that is not there")


def test_a_sentence_whose_figures_turned_is_left_out(board: dict[str, Any]) -> None:
    before = takeaways(board)
    board["levels"]["1"]["human_steps"] = board["levels"]["0"]["human_steps"] + 1
    assert len(takeaways(board)) == len(before) - 1


def test_what_chance_may_have_made_is_not_called_a_gain(board: dict[str, Any]) -> None:
    compared = board["differences"]["2-1"]["calm"]
    compared |= {"mean": -0.003, "error": 0.001, "t": -3.0}
    assert "lower by 0.0030 ± 0.0010" in (schedule(board) or "")
    compared |= {"mean": -0.003, "error": 0.002, "t": -1.5}
    assert "no different as far as one year can tell (-0.0030 ± 0.0020)" in (schedule(board) or "")


def test_a_share_is_stated_only_of_a_difference_that_can_be_measured(board: dict[str, Any]) -> None:
    board["differences"]["2-0"]["calm"] |= {"mean": -0.003}
    board["differences"]["4-0"]["calm"] |= {"mean": -0.004, "error": 0.001, "t": -4.0}
    assert "level 2 has 75%" in (when_to_stop(board) or "")
    board["differences"]["4-0"]["calm"] |= {"error": 0.003, "t": -1.3}
    assert when_to_stop(board) is None


def test_only_a_loss_that_can_be_measured_is_called_worse(board: dict[str, Any]) -> None:
    board["differences"]["3-2"]["calm"] |= {"mean": 0.004, "error": 0.001, "t": 4.0}
    assert "- log loss, calm year: level 3 by +0.0040 ± 0.0010, t +4.0" in page(board)
    board["differences"]["3-2"]["calm"] |= {"error": 0.003, "t": 1.3}
    assert "- log loss, calm year: level 3" not in page(board)


def test_the_scale_is_what_retraining_brings_now(board: dict[str, Any]) -> None:
    assert board["scale"] == scale(load_year(YEAR_READ), YEAR)


def test_every_figure_of_the_issue_is_there(board: dict[str, Any]) -> None:
    injected = {incident.id for incident in INCIDENTS.values() if not incident.natural}
    for level in board["levels"].values():
        named = {"log_loss", "auc", "trainings", "releases", "human_steps", "incidents", "dora", "cost"}
        assert named <= set(level)
        assert set(level["incidents"]) <= injected
        for impact in level["incidents"].values():
            assert {"outcome", "days_to_notice", "days_to_recover", "inputs", "models", "placebo"} <= set(impact)


def test_an_incident_that_was_not_simulated_yet_waits(board: dict[str, Any]) -> None:
    for level in board["levels"].values():
        level["incidents"].pop("celsius", None)
    rows = re.findall(r"^\| celsius \|.*", page(board), re.MULTILINE)
    assert [row.split("|")[2:-1] for row in rows] == [[" waits "] * len(board["levels"])] * 2


def test_the_assumptions_are_those_that_are_made_now(board: dict[str, Any]) -> None:
    assert board["assumptions"] == read_assumptions()
    assert board["incidents"].keys() == INCIDENTS.keys()


def test_what_gets_worse_is_said(board: dict[str, Any]) -> None:
    text = page(board)
    board["levels"]["1"]["steps_per_release"] = 99.0
    assert "99 at level 1" not in text
    assert re.search(r"human steps per release: 99 at level 1, \S+ at level 0; \w+", page(board))


def test_the_pictures_are_drawn_the_same_way_twice(board: dict[str, Any], tmp_path: Any) -> None:
    (tmp_path / "again").mkdir()
    twice = ([*draw(board, folder), glance.draw(board, folder)] for folder in (tmp_path, tmp_path / "again"))
    for one, other in zip(*twice, strict=True):
        assert one.read_bytes() == other.read_bytes()
        assert (ROOT / "docs" / one.name).exists()


@pytest.mark.parametrize(
    "number", [pytest.param(number, marks=[pytest.mark.slow] if number > 1 else []) for number in levels()]
)
def test_a_level_costs_what_is_in_it(number: int) -> None:
    lines, packages = cost.lines(number), cost.packages(number)
    assert lines["code"] > 100
    assert packages["packages"] > 50
    if number:
        assert cost.lines(number - 1)["code"] < lines["code"]
        assert cost.packages(number - 1)["packages"] <= packages["packages"]
