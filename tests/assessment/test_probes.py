"""Probes on made-up scenarios: each must be able to find, and to find nothing."""

import json
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.assessment.probes import data, monitoring, release, retraining
from shared.assessment.probes.tests import notices, refused
from shared.assessment.scenario.context import in_facts
from shared.assessment.scenario.mutants import Mutants
from shared.assessment.scenario.scenario import Day, Faults, FirstModel, Scenario, SecondModel
from shared.assessment.scenario.seeded_defects import Outcome
from shared.assessment.scenario.swap_under_load import Swap
from shared.assessment.scenario.uncertified_model import Uncertified
from shared.stack.stage import Answer, Event

DAY = date(2013, 7, 1)
COLLECTED = Event("collected", "collected 2 files", {"files": 2})


class Nowhere:
    """Stands in for a context: no server, a registry that a test fills, and files where a test puts them."""

    def __init__(self, folder: Path) -> None:
        self.source = self.workspace = folder
        self.stage = self
        self.environment: dict[str, str] = {}
        self.tracking = self
        self.registered: dict[str, dict[str, str]] = {}
        self.certificates: dict[str, str] = {}  # by run

    def versions(self) -> dict[str, dict[str, str]]:
        return self.registered

    def artifact(self, run: str, path: str) -> str:
        return self.certificates.get(run, "")

    def files(self) -> list[Path]:
        return sorted(path for path in self.workspace.rglob("*") if path.is_file())

    def short(self, path: Path) -> str:
        return path.name


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    scenario = Scenario(Nowhere(tmp_path))  # type: ignore[arg-type]
    scenario.first_model = FirstModel(3, 3, ["data scientist"], "m/1@aa", {})
    scenario.days = [a_day(0, 1)]
    scenario.second_model = SecondModel(False, "m/1@aa", "m/2@bb", ["data scientist"], [], "2")
    scenario.defects = {}
    scenario.uncertified = Uncertified("3", False, "refused", "m/1@aa", "m/1@aa")
    scenario.swap = Swap("rollback", "m/2@bb", "m/1@aa", "m/2@bb", 1000, 0)
    scenario.faults = Faults(days=[[COLLECTED]])
    return scenario


def a_day(n: int, *arms: int, share: float = 0.2) -> Day:
    """Return a day with these versions answering; the last one its share of a hundred flight numbers."""
    day = DAY + timedelta(days=n)
    answers = {
        f"{day}-UA{k}-JFK": Answer(0.5, f"m/{arms[-1] if k < share * 100 else arms[0]}@x") for k in range(100)
    }
    return Day(day, [COLLECTED], 2, f"m/{arms[0]}@x", answers, {})


@pytest.mark.parametrize(
    ("collected", "after", "copies", "answer"),
    [(3, 3, 2, "PRESENT"), (0, 3, 0, "MANUAL"), (0, 0, 0, "ABSENT"), (3, 3, 1, "MANUAL")],
)
def test_data_comes_by_itself_or_by_people_or_not(
    scenario: Scenario, collected: int, after: int, copies: int, answer: str
) -> None:
    scenario.first_model.collected, scenario.first_model.after_people, scenario.days[0].copies = (
        collected,
        after,
        copies,
    )
    assert data.collected_by_itself(scenario).answer == answer


def test_a_share_is_the_same_callers_each_day_and_then_one_model(scenario: Scenario) -> None:
    scenario.days = [a_day(0, 1, 2), a_day(1, 1, 2), a_day(2, 2)]
    assert release.a_share_first(scenario).answer == "PRESENT"


@pytest.mark.parametrize(
    "days",
    [
        [a_day(0, 1), a_day(1, 2)],
        [a_day(0, 1, 2), a_day(1, 1, 2, share=0.3), a_day(2, 2)],
        [a_day(0, 1, 2, share=0.8), a_day(1, 2)],
        [a_day(0, 1, 2), a_day(1, 1, 2)],
    ],
    ids=["never two at once", "callers change arm", "more than its share", "nothing is decided"],
)
def test_what_is_no_ab_test_is_not_taken_for_one(scenario: Scenario, days: list[Day]) -> None:
    scenario.days = days
    assert release.a_share_first(scenario).answer == "ABSENT"


def test_who_brings_a_model(scenario: Scenario) -> None:
    assert release.nobody_in_between(scenario).answer == "MANUAL"
    assert release.by_one_data_person(scenario).answer == "PRESENT"
    scenario.second_model.roles.append("software engineer")
    assert release.by_one_data_person(scenario).answer == "ABSENT"
    scenario.second_model.after = scenario.second_model.before
    assert release.nobody_in_between(scenario).answer == "ABSENT"
    scenario.second_model.by_itself = True
    assert release.nobody_in_between(scenario).answer == "PRESENT"


def test_a_way_back_by_itself_by_people_or_none(scenario: Scenario) -> None:
    assert release.way_back(scenario).answer == "PRESENT"
    scenario.uncertified.served = True
    assert release.way_back(scenario).answer == "MANUAL"
    scenario.swap.how = "release 2"  # and version 1 came
    assert release.way_back(scenario).answer == "ABSENT"
    scenario.swap.how = "release 1"
    assert release.way_back(scenario).answer == "MANUAL"
    scenario.swap.between = scenario.swap.before
    assert release.way_back(scenario).answer == "ABSENT"


@pytest.mark.parametrize(
    ("failed", "between", "answer"), [(0, "m/1@aa", "PRESENT"), (1, "m/1@aa", "ABSENT"), (0, "m/2@bb", "ABSENT")]
)
def test_nothing_is_dropped_only_if_something_changed(
    scenario: Scenario, failed: int, between: str, answer: str
) -> None:
    scenario.swap.failed, scenario.swap.between = failed, between
    assert release.nothing_dropped(scenario).answer == answer


GATES = {
    "calibrated": {"passed": True, "reason": "not far off"},
    "not_worse_than_champion": {"passed": False, "reason": "log loss 0.7"},
}
REFUSED = Outcome("refused by a gate", version="4", seeded=("bad",))


@pytest.mark.parametrize(
    ("outcome", "gate", "answer"),
    [
        (REFUSED, "not_worse_than_champion", "PRESENT"),
        (replace(REFUSED, delivered=True), "not_worse_than_champion", "ABSENT"),
        (REFUSED, "calibrated", "ABSENT"),
        (replace(REFUSED, version=""), "not_worse_than_champion", "ABSENT"),
        (replace(REFUSED, seeded=("slow",)), "not_worse_than_champion", "ABSENT"),
        (None, "not_worse_than_champion", "ABSENT"),
    ],
    ids=["for its reason", "let through", "for another reason", "never registered", "another defect", "not there"],
)
def test_a_refusal_counts_only_for_the_seeded_defect(
    scenario: Scenario, outcome: Outcome | None, gate: str, answer: str
) -> None:
    context: Any = scenario.context
    context.registered, context.certificates = {"4": {"run_id": "r"}}, {"r": json.dumps({"gates": GATES})}
    scenario.defects = {"bad": outcome} if outcome else {}
    assert refused(scenario, "bad", "bad", gate, "a bad model").answer == answer


@pytest.mark.parametrize(
    ("mutants", "answer"),
    [
        (Mutants(True, True, {"a mutant": True}), "PRESENT"),
        (Mutants(True, True, {"a mutant": False}), "ABSENT"),
        (Mutants(True, True, {}), "ABSENT"),
        (Mutants(True, False, {"a mutant": True}, {"as it is": "1 failed"}), "ABSENT"),
        (Mutants(), "ABSENT"),
    ],
    ids=["noticed", "missed", "nothing to change", "red before", "no tests"],
)
def test_tests_that_are_red_anyway_notice_nothing(mutants: Mutants, answer: str) -> None:
    assert notices(mutants, "a mutant").answer == answer


def run(trigger: str) -> dict[str, Any]:
    return {"run_id": "0" * 32, "status": "FINISHED", "tags": {"trigger": trigger}}


def test_guards_are_there_only_where_something_is_held(scenario: Scenario) -> None:
    assert retraining.guards_hold(scenario).answer == "ABSENT"
    scenario.faults.triggered = [run("performance")]
    assert retraining.guards_hold(scenario).answer == "PRESENT"
    scenario.faults.runs_on_broken = 1
    assert retraining.guards_hold(scenario).answer == "ABSENT"
    scenario.faults.runs_on_broken, scenario.faults.triggered = 0, [run("drift")] * 3
    assert retraining.guards_hold(scenario).answer == "ABSENT"


def test_people_are_asked_only_if_something_waits_for_them(scenario: Scenario) -> None:
    scenario.faults.issues = ["issues/2013-07-20.md"]
    assert retraining.people_are_asked(scenario).answer == "ABSENT"
    scenario.faults.days.append([Event("held", "HOLD suspicious feed (mean temp 3.2)")])
    assert retraining.people_are_asked(scenario).answer == "PRESENT"


@pytest.mark.parametrize(
    ("event", "quality", "drift"),
    [
        (Event("alarm", "", {"cause": "performance", "evidence": {"bias": -0.1}}), "PRESENT", "ABSENT"),
        (Event("held", "", {"cause": "suspicious feed", "evidence": {"mean temp": 3.2}}), "ABSENT", "PRESENT"),
        (Event("held", "quality of temp", {}), "ABSENT", "ABSENT"),
    ],
    ids=["quality", "drift", "only in its text"],
)
def test_an_alarm_counts_for_what_it_is_about(scenario: Scenario, event: Event, quality: str, drift: str) -> None:
    scenario.faults.alarms = in_facts([event])
    assert monitoring.quality_alarm(scenario).answer == quality
    assert monitoring.drift_alarm(scenario).answer == drift


def test_a_feature_that_is_computed_twice_is_found(scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "features.py").write_text('features = {"minute_of_day": 0}\nnames = ["minute_of_day"]\n')
    assert data.one_definition(scenario).answer == "PRESENT"
    (tmp_path / "app.py").write_text("row = dict(minute_of_day=0)\n")
    finding = data.one_definition(scenario)
    assert (finding.answer, "app.py" in finding.seen) == ("ABSENT", True)


@pytest.mark.parametrize(
    "event",
    [Event("reviewed", "", {"difference": 0.01}), Event("collected", "", {"files": 2, "log_loss": 0.5})],
    ids=["an event about it", "a fact about it"],
)
def test_one_report_about_the_model_ends_the_silence(scenario: Scenario, event: Event) -> None:
    assert monitoring.heard_of_no_more(scenario).answer == "PRESENT"
    scenario.days[0].events = [event]
    assert monitoring.heard_of_no_more(scenario).answer == "ABSENT"
