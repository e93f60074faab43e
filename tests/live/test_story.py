"""What the live page draws from the journal of a stage."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shared.demo import journal
from shared.demo.journal import Day, Served
from shared.live import story
from shared.stack.stage import Answer, Event

CHAMPION, CHALLENGER = "flight-delays/1@0123", "flight-delays/2@4567"


def day(name: str, losses: dict[str, float | None], flights: int = 100, incidents: tuple[str, ...] = ()) -> Day:
    arms = {CHAMPION: "champion", CHALLENGER: "challenger"}
    served = [Served(arms[model], model, flights, loss) for model, loss in losses.items()]
    return Day(name, list(incidents), [("collected", "2 files"), ("alarm", f"ALARM on {name}")], served)


DAYS = [
    day("2013-06-17", {CHAMPION: 0.5}),
    day("2013-06-18", {CHAMPION: 0.6, CHALLENGER: 0.4}, incidents=("temperatures are published in °C",)),
    day("2013-06-19", {CHAMPION: 0.7, CHALLENGER: None}),
]


def test_days_make_a_quality_certain_and_not_flights() -> None:
    champion, challenger = story.qualities(DAYS)
    assert (champion.name, champion.days) == ("champion 1", 3)
    assert champion.log_loss == pytest.approx(0.6)
    assert champion.error == pytest.approx(4.303 * 0.1 / np.sqrt(3), rel=1e-3)  # t with two degrees of freedom
    many = [day(each.day, {CHAMPION: each.served[0].log_loss}, flights=10_000) for each in DAYS]
    assert story.qualities(many)[0].error == champion.error
    assert challenger.error is None
    assert str(challenger) == "challenger 2: log loss 0.400 on a single day"


def test_the_shares_of_a_day_are_those_of_its_flights() -> None:
    chart = story.shares_chart(DAYS)
    assert [each["name"] for each in chart["series"]] == ["champion 1", "challenger 2"]
    assert [each["data"] for each in chart["series"]] == [[100.0, 50.0, 50.0], [0.0, 50.0, 50.0]]
    assert chart["series"][0]["markLine"]["data"] == [{"xAxis": "06-18"}]  # the day of the trouble


def test_a_loss_that_nobody_knows_is_a_gap() -> None:
    assert [each["data"] for each in story.losses_chart(DAYS)["series"]] == [[0.5, 0.6, 0.7], [None, 0.4, None]]


def test_what_every_day_has_is_no_news_and_the_newest_comes_first() -> None:
    assert story.events(DAYS)[0] == ("2013-06-19", "ALARM on 2013-06-19")
    assert len(story.events(DAYS)) == 3


def test_a_stage_without_a_day_is_drawn_empty() -> None:
    assert story.shares_chart([])["series"] == story.losses_chart([])["series"] == story.qualities([]) == []


def test_the_journal_keeps_days_and_leaves_out_half_a_line(tmp_path: Path) -> None:
    assert list(journal.read(tmp_path)) == []
    for each in DAYS:
        journal.write(tmp_path, each)
    with (tmp_path / journal.FILE).open("a") as file:
        file.write('\n{"day": "2013-06-2')
    assert list(journal.read(tmp_path)) == DAYS
    journal.write(tmp_path, DAYS[0])
    assert list(journal.read(tmp_path)) == [*DAYS, DAYS[0]]


def test_a_flight_that_never_arrived_counts_as_served_and_not_as_judged() -> None:
    answers = {flight: Answer(0.5, CHAMPION, "champion") for flight in ("a", "b", "c")}
    outcomes = pd.DataFrame({"flight_id": ["a", "b", "c"], "arrival_delay": [60.0, -5.0, np.nan]})
    played = journal.day_of(date(2013, 6, 17), [], [Event("alarm", "ALARM")], answers, outcomes)
    (served,) = played.served
    assert (served.model, served.flights) == (CHAMPION, 3)
    assert served.log_loss == pytest.approx(np.log(2))
    assert played.events == [("alarm", "ALARM")]
    gone = journal.day_of(date(2013, 6, 17), [], [], answers, outcomes.assign(arrival_delay=np.nan))
    assert gone.served[0].log_loss is None
