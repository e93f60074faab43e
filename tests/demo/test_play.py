"""What people see of the days that are played, and how a play goes on."""

import io
import signal
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from shared import base
from shared.base import StageError
from shared.demo.live_view import Panel, Scores
from shared.demo.more_days import days_after, go_on
from shared.demo.play import alone, play_days, summarise
from shared.stack.operator import People
from shared.stack.stage import LONGEST_WORKSPACE, Answer, Stage, running
from shared.world.dataset import load_year
from shared.world.incidents import INCIDENTS
from shared.world.period import Window

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


def ended(**delays: float | None) -> pd.DataFrame:
    return pd.DataFrame(
        {"flight_id": list(delays), "arrival_delay": pd.Series(list(delays.values()), dtype=float)}
    )


def test_each_arm_is_judged_by_its_own_answers_once_their_ends_are_known() -> None:
    scores = Scores()
    scores.answered(MORNING)
    assert scores.of["champion", "m/1"].log_loss == "not known yet"
    scores.ended(ended(a=3.0, b=15.0, c=None))
    scores.ended(ended(a=3.0))  # a second time
    champion, challenger = scores.of["champion", "m/1"], scores.of["challenger", "m/2"]
    assert (champion.flights, champion.judged, challenger.judged) == (2, 1, 1)
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


def show(terminal: bool) -> str:
    console = Console(force_terminal=terminal, file=io.StringIO(), width=120, color_system=None)
    panel = Panel(console, 2)
    with panel.shown():
        panel.begin(date(2013, 7, 1))
        panel.say("2013-07-01: collected 2 files; version 2 is challenger [with 20%]")
        panel.answered(MORNING)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_terminal_shows_day_split_quality_and_what_happened() -> None:
    shown = show(terminal=True)
    last = shown[shown.rindex("arm") :]
    for said in ("67%", "33%", "not known yet", "2013-07-01: version 2 is challenger [with 20%]"):
        assert said in last
    assert "1/2" in shown


def test_without_a_terminal_there_are_only_lines() -> None:
    assert show(terminal=False) == "  2013-07-01: collected 2 files; version 2 is challenger [with 20%]\n"


def test_traffic_goes_on_after_the_last_day_and_ends_with_the_year(stage: Stage) -> None:
    with pytest.raises(StageError, match="no day has been played"):
        days_after(stage, 7)
    (stage.workspace / "last_day").write_text("2013-12-25")
    window = days_after(stage, 6)
    assert (window.first, window.last, window.length) == (date(2013, 12, 26), date(2013, 12, 31), 6)
    for length in (0, 7):
        with pytest.raises(StageError, match="choose DAYS from 1 to 6"):
            days_after(stage, length)


def test_two_plays_do_not_share_a_stage(stage: Stage) -> None:
    with alone(stage), pytest.raises(StageError, match="are being played"), alone(stage):
        pass
    with alone(stage):
        pass


@pytest.mark.parametrize("kind", ["disk", "storms"])
def test_trouble_that_is_not_in_the_feed_cannot_be_planted(kind: str) -> None:
    with pytest.raises(
        StageError, match=f"{kind} cannot be planted in the feed of other days: choose among schema, "
    ):
        go_on(Stage(1), 1, kind)


def test_a_path_that_is_too_long_for_a_socket_is_named_before_anything_starts(tmp_path: Path) -> None:
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
    before = [signal.getsignal(each) for each in signals]
    with running(Stage(0, tmp_path)):
        assert [signal.getsignal(each) for each in signals] != before
    assert [signal.getsignal(each) for each in signals] == before


def test_a_stage_listens_on_loopback_whatever_host_is_exported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOST", "0.0.0.0")  # noqa: S104
    assert Stage(1, tmp_path).environment["HOST"] == "127.0.0.1"


class Stopping(Stage):
    """A stage that is stopped on the first morning, and whose people fail on the second day."""

    mornings = 0

    def tick(self, day: date) -> str:
        self.mornings += 1
        if self.mornings == 1:
            raise KeyboardInterrupt
        return f"{day}: a day"

    def ask(self, day: date, flights: str) -> dict[str, Answer]:
        return {"2013-03-01-UA1-EWR": Answer(0.3)} if day.day == 1 else {}


def test_a_day_that_was_stopped_happens_when_the_play_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails_on_the_second(_: People, day: date) -> None:
        if day.day == 2:
            raise StageError("score.py failed")

    monkeypatch.setattr(People, "daily", fails_on_the_second)
    year, stage = load_year(base.WORKSPACES / "world"), Stopping(0, tmp_path)
    window, trouble = Window(date(2013, 3, 1), date(2013, 3, 2)), [INCIDENTS["schema"].starting(date(2013, 3, 2))]
    panel = Panel(Console(file=io.StringIO()), 2)
    with pytest.raises(KeyboardInterrupt):
        play_days(stage, year, window, panel, trouble)
    answers, _ = play_days(stage, year, window, panel, trouble)
    assert stage.mornings == 3
    assert list(answers) == ["2013-03-01-UA1-EWR"]
    assert "log_loss" not in summarise(stage, year, window, {})
