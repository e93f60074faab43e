"""When people notice and act: from a ledger that is made up, by the assumptions as they are."""

from datetime import date
from pathlib import Path

import pytest

from shared.__main__ import retrain
from shared.base import levels
from shared.simulation.event_log import Ledger
from shared.simulation.operator_model import REMEDIES, Diary, read_assumptions, working_days_after
from shared.stack.operator import People
from shared.stack.stage import Stage

from ..conftest import elsewhere

FRIDAY, MONDAY = date(2013, 7, 5), date(2013, 7, 8)


@pytest.fixture
def diary(tmp_path: Path) -> Diary:
    diary = Diary(Ledger(tmp_path / "ledger.jsonl"))
    diary.ledger.write("2013-07-01", "deployment", kind="model", name="m/1", share=1.0, by="people")
    return diary


def serve(diary: Diary, day: date | str, answered: int = 900, expected: float = 200.0, late: int = 200) -> None:
    diary.ledger.write(
        day,
        "served",
        flights=900,
        answered=answered,
        arrived=answered,
        expected_late=expected,
        late=late,
        loss=0.5,
    )


def signs(diary: Diary) -> list[str]:
    return [event["of"] for event in diary.ledger.of("sign")]


@pytest.mark.parametrize(
    ("day", "count", "then"),
    [(FRIDAY, 0, FRIDAY), (FRIDAY, 1, MONDAY), (date(2013, 7, 6), 1, MONDAY), (MONDAY, 5, date(2013, 7, 15))],
)
def test_nobody_works_on_weekends(day: date, count: int, then: date) -> None:
    assert working_days_after(day, count) == then


def test_every_sign_has_assumptions_and_a_remedy() -> None:
    assumptions = read_assumptions()
    assert set(assumptions["notice"]) == set(assumptions["act"]) == set(REMEDIES)
    assert all(each["why"] for kind in ("notice", "act") for each in assumptions[kind].values())


def test_a_day_on_which_all_is_well_has_no_signs(diary: Diary) -> None:
    serve(diary, FRIDAY)
    diary.read_signs(FRIDAY)
    assert signs(diary) == []


def test_missing_answers_are_noticed_on_the_next_working_day(diary: Diary) -> None:
    serve(diary, FRIDAY, answered=0)
    diary.read_signs(FRIDAY)
    (sign,) = diary.ledger.of("sign")
    assert (sign["of"], sign["noticed"], sign["acts"]) == ("no answers", "2013-07-08", "2013-07-09")
    assert diary.due(date(2013, 7, 9)) == [("no answers", "model")]


def test_what_is_well_again_is_left_alone(diary: Diary) -> None:
    serve(diary, FRIDAY, answered=0)
    diary.read_signs(FRIDAY)
    serve(diary, MONDAY)
    assert diary.due(date(2013, 7, 9)) == []


def test_a_sign_is_not_read_twice(diary: Diary) -> None:
    for day in (FRIDAY, date(2013, 7, 6)):
        serve(diary, day, answered=0)
        diary.read_signs(day)
    assert signs(diary) == ["no answers"]


def test_a_candidate_that_waits_is_released_once(diary: Diary) -> None:
    diary.ledger.write(FRIDAY, "training", by="schedule", registered=True, name="m/2")
    for day in (FRIDAY, MONDAY, date(2013, 7, 20)):
        diary.read_signs(day)
    (sign,) = diary.ledger.of("sign")
    assert (sign["of"], sign["acts"]) == ("candidate waits", "2013-07-10")
    assert diary.due(date(2013, 7, 10)) == [("candidate waits", "release")]
    diary.ledger.write("2013-07-10", "deployment", kind="model", name="m/2", share=1.0, by="people")
    assert diary.due(date(2013, 7, 10)) == []


def test_two_matters_that_are_due_on_one_day_are_both_seen_to_and_each_once(diary: Diary) -> None:
    diary.ledger.write(FRIDAY, "training", by="drift", registered=True, name="m/2")
    diary.ledger.write(date(2013, 7, 6), "alarm", of="HOLD")
    for day in (FRIDAY, date(2013, 7, 6)):
        diary.read_signs(day)
    day = date(2013, 7, 10)
    assert diary.due(day) == [("candidate waits", "release"), ("hold", "look")]
    diary.ledger.write(day, "acted", on="candidate waits")
    assert diary.due(day) == [("hold", "look")]  # as after a play that was stopped between the two
    diary.ledger.write(day, "acted", on="hold")
    assert diary.due(day) == []


@pytest.mark.parametrize(("expected", "felt"), [(200.0, False), (340.0, True), (60.0, True), (250.0, False)])
def test_answers_that_are_off_for_two_weeks_are_felt(diary: Diary, expected: float, felt: bool) -> None:
    for n in range(1, 18):
        serve(diary, f"2013-07-{n:02}", expected=expected)
    diary.read_signs(date(2013, 7, 17))
    assert ("wrong answers" in signs(diary)) == felt


def test_what_an_earlier_model_answered_is_not_held_against_this_one(diary: Diary) -> None:
    for n in range(1, 18):
        serve(diary, f"2013-07-{n:02}", expected=340.0)
    diary.ledger.write("2013-07-18", "deployment", kind="model", name="m/2", share=1.0, by="people")
    serve(diary, "2013-07-18")
    diary.read_signs(date(2013, 7, 18))
    assert signs(diary) == []


def test_a_failed_training_is_tried_again_unless_one_went_well(diary: Diary) -> None:
    diary.ledger.write(FRIDAY, "training", by="schedule", registered=False, name=None)
    diary.ledger.write(FRIDAY, "alarm", of="failed")
    diary.read_signs(FRIDAY)
    acts = date(2013, 7, 10)
    assert diary.due(acts) == [("alarm", "model")]
    diary.ledger.write(MONDAY, "training", by="manual", registered=True, name="m/2")
    assert diary.due(acts) == []


def test_an_alarm_that_the_machine_acts_upon_itself_is_nothing_to_people(diary: Diary) -> None:
    diary.ledger.write(FRIDAY, "alarm", of="ALARM")
    diary.read_signs(FRIDAY)
    assert signs(diary) == []


def test_a_model_is_made_when_none_was_for_a_quarter(diary: Diary) -> None:
    diary.ledger.write("2013-03-01", "training", by="manual", registered=True, name=None)
    diary.read_signs(date(2013, 5, 30))
    assert signs(diary) == []
    diary.read_signs(date(2013, 5, 31))
    assert signs(diary) == ["old model"]


@pytest.mark.parametrize("number", levels())
def test_what_makes_a_model_is_not_done_for_one_that_waits(number: int) -> None:
    people = People(Stage(number))
    assert any(step.trains for step in people.steps)
    performed: list[str] = []
    people._perform = lambda day, steps: performed.extend(step.id for step in steps)  # type: ignore[method-assign]
    people.release_what_waits(FRIDAY)
    assert not {step.id for step in people.steps if step.trains} & set(performed)


def test_the_ledger_survives_being_killed_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    Ledger(path).write(FRIDAY, "day")
    path.write_text(path.read_text() + '{"day": "2013-07-')
    ledger = Ledger(path)
    ledger.write(MONDAY, "day")
    assert Ledger(path).events == ledger.events == [{"day": str(day), "event": "day"} for day in (FRIDAY, MONDAY)]


def test_where_people_make_no_models_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with elsewhere(tmp_path) as patch:
        patch.setattr(Stage, "wait_until_ready", lambda _: None)
        stage = Stage(max(levels()))
        stage.workspace.mkdir()
        (stage.workspace / "env").touch()
        retrain(stage)
    assert "has no step for people here" in capsys.readouterr().out
