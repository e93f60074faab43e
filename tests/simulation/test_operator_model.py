"""When people notice and act: from an event log that is made up, by the assumptions as they are."""

from datetime import date
from pathlib import Path

import pytest

from shared.__main__ import retrain
from shared.base import levels
from shared.simulation.event_log import EventLog
from shared.simulation.operator_model import REMEDIES, OperatorModel, read_assumptions, working_days_after
from shared.stack.operator import Operator
from shared.stack.stage import Stage

from ..conftest import elsewhere

FRIDAY, MONDAY = date(2013, 7, 5), date(2013, 7, 8)


@pytest.fixture
def operator_model(tmp_path: Path) -> OperatorModel:
    operator_model = OperatorModel(EventLog(tmp_path / "events.jsonl"))
    operator_model.event_log.write("2013-07-01", "deployment", kind="model", name="m/1", share=1.0, by="people")
    return operator_model


def serve(
    operator_model: OperatorModel, day: date | str, answered: int = 900, expected: float = 200.0, late: int = 200
) -> None:
    operator_model.event_log.write(
        day,
        "served",
        flights=900,
        answered=answered,
        arrived=answered,
        expected_late=expected,
        late=late,
        loss=0.5,
    )


def signs(operator_model: OperatorModel) -> list[str]:
    return [event["kind"] for event in operator_model.event_log.of("sign")]


@pytest.mark.parametrize(
    ("day", "count", "then"),
    [(FRIDAY, 0, FRIDAY), (FRIDAY, 1, MONDAY), (date(2013, 7, 6), 1, MONDAY), (MONDAY, 5, date(2013, 7, 15))],
)
def test_nobody_works_on_weekends(day: date, count: int, then: date) -> None:
    assert working_days_after(day, count) == then


def test_every_sign_has_assumptions_and_a_remedy() -> None:
    assumptions = read_assumptions()
    assert set(assumptions["notice"]) == set(assumptions["act"]) == set(REMEDIES)
    assert all(after["why"] for kind in ("notice", "act") for after in assumptions[kind].values())


def test_a_day_on_which_all_is_well_has_no_signs(operator_model: OperatorModel) -> None:
    serve(operator_model, FRIDAY)
    operator_model.read_signs(FRIDAY)
    assert signs(operator_model) == []


def test_missing_answers_are_noticed_on_the_next_working_day(operator_model: OperatorModel) -> None:
    serve(operator_model, FRIDAY, answered=0)
    operator_model.read_signs(FRIDAY)
    (sign,) = operator_model.event_log.of("sign")
    assert (sign["kind"], sign["noticed"], sign["acts"]) == ("no answers", "2013-07-08", "2013-07-09")
    assert operator_model.due(date(2013, 7, 9)) == [("no answers", "model")]


def test_what_is_well_again_is_left_alone(operator_model: OperatorModel) -> None:
    serve(operator_model, FRIDAY, answered=0)
    operator_model.read_signs(FRIDAY)
    serve(operator_model, MONDAY)
    assert operator_model.due(date(2013, 7, 9)) == []


def test_a_sign_is_not_read_twice(operator_model: OperatorModel) -> None:
    for day in (FRIDAY, date(2013, 7, 6)):
        serve(operator_model, day, answered=0)
        operator_model.read_signs(day)
    assert signs(operator_model) == ["no answers"]


def test_a_candidate_that_waits_is_released_once(operator_model: OperatorModel) -> None:
    operator_model.event_log.write(FRIDAY, "training", by="schedule", registered=True, name="m/2")
    for day in (FRIDAY, MONDAY, date(2013, 7, 20)):
        operator_model.read_signs(day)
    (sign,) = operator_model.event_log.of("sign")
    assert (sign["kind"], sign["acts"]) == ("candidate waits", "2013-07-10")
    assert operator_model.due(date(2013, 7, 10)) == [("candidate waits", "release")]
    operator_model.event_log.write("2013-07-10", "deployment", kind="model", name="m/2", share=1.0, by="people")
    assert operator_model.due(date(2013, 7, 10)) == []


def test_two_matters_that_are_due_on_one_day_are_both_seen_to_and_each_once(operator_model: OperatorModel) -> None:
    operator_model.event_log.write(FRIDAY, "training", by="drift", registered=True, name="m/2")
    operator_model.event_log.write(date(2013, 7, 6), "alarm", kind="held")
    for day in (FRIDAY, date(2013, 7, 6)):
        operator_model.read_signs(day)
    day = date(2013, 7, 10)
    assert operator_model.due(day) == [("candidate waits", "release"), ("hold", "look")]
    operator_model.event_log.write(day, "acted", on="candidate waits")
    assert operator_model.due(day) == [("hold", "look")]  # as after a simulation that was stopped between the two
    operator_model.event_log.write(day, "acted", on="hold")
    assert operator_model.due(day) == []


@pytest.mark.parametrize(("expected", "felt"), [(200.0, False), (340.0, True), (60.0, True), (250.0, False)])
def test_answers_that_are_off_for_two_weeks_are_felt(
    operator_model: OperatorModel, expected: float, felt: bool
) -> None:
    for n in range(1, 18):
        serve(operator_model, f"2013-07-{n:02}", expected=expected)
    operator_model.read_signs(date(2013, 7, 17))
    assert ("wrong answers" in signs(operator_model)) == felt


def test_what_an_earlier_model_answered_is_not_held_against_this_one(operator_model: OperatorModel) -> None:
    for n in range(1, 18):
        serve(operator_model, f"2013-07-{n:02}", expected=340.0)
    operator_model.event_log.write("2013-07-18", "deployment", kind="model", name="m/2", share=1.0, by="people")
    serve(operator_model, "2013-07-18")
    operator_model.read_signs(date(2013, 7, 18))
    assert signs(operator_model) == []


def test_a_failed_training_is_tried_again_unless_one_went_well(operator_model: OperatorModel) -> None:
    operator_model.event_log.write(FRIDAY, "training", by="schedule", registered=False, name=None)
    operator_model.event_log.write(FRIDAY, "alarm", kind="failed")
    operator_model.read_signs(FRIDAY)
    acts = date(2013, 7, 10)
    assert operator_model.due(acts) == [("alarm", "model")]
    operator_model.event_log.write(MONDAY, "training", by="manual", registered=True, name="m/2")
    assert operator_model.due(acts) == []


def test_an_alarm_that_the_machine_acts_upon_itself_is_nothing_to_people(operator_model: OperatorModel) -> None:
    operator_model.event_log.write(FRIDAY, "alarm", kind="alarm")
    operator_model.read_signs(FRIDAY)
    assert signs(operator_model) == []


def test_a_model_is_made_when_none_was_for_a_quarter(operator_model: OperatorModel) -> None:
    operator_model.event_log.write("2013-03-01", "training", by="manual", registered=True, name=None)
    operator_model.read_signs(date(2013, 5, 30))
    assert signs(operator_model) == []
    operator_model.read_signs(date(2013, 5, 31))
    assert signs(operator_model) == ["old model"]


@pytest.mark.parametrize("number", levels())
def test_what_makes_a_model_is_not_done_for_one_that_waits(number: int) -> None:
    operator = Operator(Stage(number))
    assert any(step.trains for step in operator.steps)
    performed: list[str] = []
    operator._perform = lambda day, steps: performed.extend(step.id for step in steps)  # type: ignore[method-assign]
    operator.release_what_waits(FRIDAY)
    assert not {step.id for step in operator.steps if step.trains} & set(performed)


def test_the_event_log_survives_being_killed_in_the_middle_of_a_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    EventLog(path).write(FRIDAY, "day")
    path.write_text(path.read_text() + '{"day": "2013-07-')
    event_log = EventLog(path)
    event_log.write(MONDAY, "day")
    assert (
        EventLog(path).events
        == event_log.events
        == [{"day": str(day), "event": "day"} for day in (FRIDAY, MONDAY)]
    )


def test_where_people_make_no_models_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with elsewhere(tmp_path) as patch:
        patch.setattr(Stage, "wait_until_ready", lambda _: None)
        workspace = Stage(max(levels())).workspace
        workspace.mkdir()
        (workspace / "env").touch()
        retrain(max(levels()))
    assert "has no step for people here" in capsys.readouterr().out
