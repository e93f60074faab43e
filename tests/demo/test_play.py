"""What people see of the days that are played, and how a play goes on."""

import io
import signal
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

from shared import base
from shared.__main__ import commands
from shared.base import StageError
from shared.demo import journal
from shared.demo.live_view import LiveView, Scores
from shared.demo.more_days import days_after, play_more
from shared.demo.play import alone, play_days, summarise
from shared.stack.operator import Operator
from shared.stack.stage import LONGEST_WORKSPACE, Answer, Event, Stage, running
from shared.world.dataset import load_year
from shared.world.incidents import INCIDENTS
from shared.world.period import Period

MORNING = {
    "a": Answer(0.2, "m/1", "champion"),
    "b": Answer(0.8, "m/2", "challenger"),
    "c": Answer(0.4, "m/1", "champion"),
}


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(base, "WORKSPACES", tmp_path)
    stage = Stage(3)
    stage.workspace.mkdir()
    return stage


def landed(**delays: float | None) -> pd.DataFrame:
    return pd.DataFrame(
        {"flight_id": list(delays), "arrival_delay": pd.Series(list(delays.values()), dtype=float)}
    )


def test_each_arm_is_scored_by_its_own_answers_once_outcomes_have_landed() -> None:
    scores = Scores()
    scores.answered(MORNING)
    assert scores.of["champion", "m/1"].log_loss == "not known yet"
    scores.landed(landed(a=3.0, b=15.0, c=None))
    scores.landed(landed(a=3.0))  # a second time
    champion, challenger = scores.of["champion", "m/1"], scores.of["challenger", "m/2"]
    assert (champion.flights, champion.landed, challenger.landed) == (2, 1, 1)
    assert champion.losses == pytest.approx(-np.log(0.8))
    assert challenger.losses == pytest.approx(-np.log(0.8))


def test_the_split_is_that_of_today() -> None:
    scores = Scores()
    scores.answered(MORNING)
    scores.answered({"d": Answer(0.5, "m/2", "champion")})
    assert {role: score.today for role, score in scores.of.items()} == {
        ("champion", "m/1"): 0,
        ("challenger", "m/2"): 0,
        ("champion", "m/2"): 1,
    }


EVENTS = [
    Event("collected", "collected 2 files"),
    Event("delivered", "version 2 is challenger [with 20%]"),
]


def show(terminal: bool) -> str:
    console = Console(force_terminal=terminal, file=io.StringIO(), width=120, color_system=None)
    live_view = LiveView(console, 2)
    with live_view.shown():
        live_view.begin(date(2013, 7, 1))
        live_view.day_ran(date(2013, 7, 1), EVENTS)
        live_view.answered(MORNING)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_day_split_quality_and_what_happened() -> None:
    shown = show(terminal=True)
    last = shown[shown.rindex("arm") :]
    for text in ("67%", "33%", "not known yet", "2013-07-01: version 2 is challenger [with 20%]"):
        assert text in last
    assert "1/2" in shown


def test_a_models_name_is_shown_whole_on_a_narrow_terminal() -> None:
    console = Console(force_terminal=True, file=io.StringIO(), width=60, color_system=None)
    live_view = LiveView(console, 1)
    with live_view.shown():
        live_view.answered({"a": Answer(0.2, "flight-delays/1@0123456789ab", "champion")})
    assert isinstance(console.file, io.StringIO)
    last = console.file.getvalue()[console.file.getvalue().rindex("arm") :]
    assert "…" not in last
    characters = iter(last)
    assert all(character in characters for character in "flight-delays/1@0123456789ab")  # in this order


def test_without_a_terminal_there_are_only_lines() -> None:
    assert show(terminal=False) == "  2013-07-01: collected 2 files; version 2 is challenger [with 20%]\n"


def test_traffic_goes_on_after_the_last_day_and_ends_with_the_year(stage: Stage) -> None:
    with pytest.raises(StageError, match="no day has been played"):
        days_after(stage, 7)
    (stage.workspace / "last_day").write_text("2013-12-25")
    period = days_after(stage, 6)
    assert (period.first, period.last, period.length) == (date(2013, 12, 26), date(2013, 12, 31), 6)
    for length in (0, 7):
        with pytest.raises(StageError, match="choose DAYS from 1 to 6"):
            days_after(stage, length)


def test_two_plays_do_not_share_a_stage(stage: Stage) -> None:
    with alone(stage), pytest.raises(StageError, match="are being played"), alone(stage):
        pass
    with alone(stage):
        pass


@pytest.mark.parametrize("kind", ["disk", "storms"])
def test_an_incident_that_is_not_in_the_feed_cannot_happen_on_other_days(kind: str) -> None:
    with pytest.raises(StageError, match=f"'{kind}' cannot be chosen here: choose among schema, "):
        play_more(Stage(1), 1, kind)


def test_without_a_name_the_incidents_are_listed() -> None:
    done = CliRunner().invoke(commands, ["traffic", "4", "--incidents", ""])
    assert done.exit_code == 0
    assert "KIND=celsius       temperatures are published in °C" in done.output


def test_a_path_that_is_too_long_for_a_socket_is_named_before_anything_starts(
    tmp_path: Path, ports: dict[str, str]
) -> None:
    deep = tmp_path / ("d" * LONGEST_WORKSPACE)
    with pytest.raises(StageError, match="move the project to a shorter path"), running(Stage(1, deep)):
        pytest.fail("it started")
    assert not list((deep / "logs").iterdir())


def test_nobody_waits_for_processes_that_nothing_keeps(tmp_path: Path, ports: dict[str, str]) -> None:
    stage = Stage(1, tmp_path)
    stage.prepare()
    (tmp_path / "logs" / "supervisord.log").mkdir()  # supervisord cannot write there, and gives up
    with pytest.raises(StageError, match="supervisord has ended"), running(stage, keep=True):
        stage.wait_until_ready()


def test_the_handlers_of_before_are_back_when_a_stage_has_ended(tmp_path: Path) -> None:
    signals = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
    before = [signal.getsignal(number) for number in signals]
    with running(Stage(0, tmp_path)):
        assert [signal.getsignal(number) for number in signals] != before
    assert [signal.getsignal(number) for number in signals] == before


def test_a_stage_listens_on_loopback_whatever_host_is_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")  # noqa: S104
    assert Stage(1, tmp_path).environment["HOST"] == "127.0.0.1"


class Stopping(Stage):
    """A stage that is stopped on the first morning, and whose people fail on the second day."""

    mornings = 0

    def run_day(self, day: date) -> list[Event]:
        self.mornings += 1
        if self.mornings == 1:
            raise KeyboardInterrupt
        return [Event("collected", f"{day}")]

    def ask(self, day: date, flights: str) -> dict[str, Answer]:
        return {"2013-03-01-UA1-EWR": Answer(0.3)} if day.day == 1 else {}


def test_a_day_that_was_stopped_happens_when_the_play_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_on_the_second(_: Operator, day: date) -> None:
        if day.day == 2:
            raise StageError("score.py failed")

    monkeypatch.setattr(Operator, "daily", fails_on_the_second)
    year, stage = load_year(base.WORKSPACES / "year"), Stopping(0, tmp_path)
    period, incidents = (
        Period(date(2013, 3, 1), date(2013, 3, 2)),
        [INCIDENTS["schema"].starting(date(2013, 3, 2))],
    )
    live_view = LiveView(Console(file=io.StringIO()), 2)
    with pytest.raises(KeyboardInterrupt):
        play_days(stage, year, period, live_view, incidents)
    answers, _ = play_days(stage, year, period, live_view, incidents)
    assert stage.mornings == 3
    assert list(answers) == ["2013-03-01-UA1-EWR"]
    assert [(each.day, each.events, len(each.incidents)) for each in journal.read(tmp_path)] == [
        ("2013-03-01", [("collected", "2013-03-01")], 0),
        ("2013-03-02", [("collected", "2013-03-02")], 1),
    ]
    assert "log_loss" not in summarise(stage, year, period, {})
