"""Probes on made-up plays: each must be able to find, and to find nothing."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.assessment.probes import data, monitoring, release, retraining
from shared.assessment.probes.tests import notices, refused
from shared.assessment.scenario.mutants import Mutants
from shared.assessment.scenario.scenario import Opening, Played, Seen, Successor, Trouble
from shared.assessment.scenario.seeded_defects import Outcome
from shared.assessment.scenario.swap_under_load import Swap
from shared.assessment.scenario.uncertified_model import Unproven
from shared.stack.stage import Answer

DAY = date(2013, 7, 1)


class Nowhere:
    """Stands in for a scene: no server, no registry, and files where a test puts them."""

    def __init__(self, folder: Path) -> None:
        self.source = self.workspace = folder
        self.stage = self
        self.environment: dict[str, str] = {}

    def files(self) -> list[Path]:
        return sorted(path for path in self.workspace.rglob("*") if path.is_file())

    def short(self, path: Path) -> str:
        return path.name


@pytest.fixture
def played(tmp_path: Path) -> Played:
    played = Played(Nowhere(tmp_path))  # type: ignore[arg-type]
    played.opening = Opening(3, 3, ["data scientist"], "m/1@aa", {})
    played.seen = [seen(0, 1)]
    played.successor = Successor(False, "m/1@aa", "m/2@bb", ["data scientist"], [])
    played.flawed = {}
    played.unproven = Unproven("3", False, "refused", "m/1@aa", "m/1@aa")
    played.swap = Swap("rollback", "m/2@bb", "m/1@aa", "m/2@bb", 1000, 0)
    played.trouble = Trouble(said=["2013-07-09: collected 2 files"])
    return played


def seen(n: int, *arms: int, share: float = 0.2, said: str = "") -> Seen:
    """Return a day with these versions answering; the last one its share of a hundred flight numbers."""
    day = DAY + timedelta(days=n)
    answers = {
        f"{day}-UA{k}-JFK": Answer(0.5, f"m/{arms[-1] if k < share * 100 else arms[0]}@x") for k in range(100)
    }
    return Seen(day, said or f"{day}: collected 2 files", 2, f"m/{arms[0]}@x", answers, {})


@pytest.mark.parametrize(
    ("collected", "after", "copies", "answer"),
    [(3, 3, 2, "PRESENT"), (0, 3, 0, "MANUAL"), (0, 0, 0, "ABSENT"), (3, 3, 1, "MANUAL")],
)
def test_data_comes_by_itself_or_by_people_or_not(
    played: Played, collected: int, after: int, copies: int, answer: str
) -> None:
    played.opening.collected, played.opening.after_people, played.seen[0].copies = collected, after, copies
    assert data.collected_by_itself(played).answer == answer


def test_a_share_is_the_same_callers_each_day_and_then_one_model(played: Played) -> None:
    played.seen = [seen(0, 1, 2), seen(1, 1, 2), seen(2, 2)]
    assert release.a_share_first(played).answer == "PRESENT"


@pytest.mark.parametrize(
    "days",
    [
        [seen(0, 1), seen(1, 2)],
        [seen(0, 1, 2), seen(1, 1, 2, share=0.3), seen(2, 2)],
        [seen(0, 1, 2, share=0.8), seen(1, 2)],
        [seen(0, 1, 2), seen(1, 1, 2)],
    ],
    ids=["never two at once", "callers change arm", "more than its share", "nothing is decided"],
)
def test_what_is_no_ab_test_is_not_taken_for_one(played: Played, days: list[Seen]) -> None:
    played.seen = days
    assert release.a_share_first(played).answer == "ABSENT"


def test_who_brings_a_model(played: Played) -> None:
    assert release.nobody_in_between(played).answer == "MANUAL"
    assert release.by_one_data_person(played).answer == "PRESENT"
    played.successor.roles.append("software engineer")
    assert release.by_one_data_person(played).answer == "ABSENT"
    played.successor.after = played.successor.before
    assert release.nobody_in_between(played).answer == "ABSENT"
    played.successor.by_itself = True
    assert release.nobody_in_between(played).answer == "PRESENT"


def test_a_way_back_by_itself_by_people_or_none(played: Played) -> None:
    assert release.way_back(played).answer == "PRESENT"
    played.unproven.served = True
    assert release.way_back(played).answer == "MANUAL"
    played.swap.how = "release 2"  # and version 1 came
    assert release.way_back(played).answer == "ABSENT"
    played.swap.how = "release 1"
    assert release.way_back(played).answer == "MANUAL"
    played.swap.between = played.swap.before
    assert release.way_back(played).answer == "ABSENT"


@pytest.mark.parametrize(
    ("failed", "between", "answer"), [(0, "m/1@aa", "PRESENT"), (1, "m/1@aa", "ABSENT"), (0, "m/2@bb", "ABSENT")]
)
def test_nothing_is_dropped_only_if_something_changed(
    played: Played, failed: int, between: str, answer: str
) -> None:
    played.swap.failed, played.swap.between = failed, between
    assert release.nothing_dropped(played).answer == answer


REFUSED = Outcome("refused by the gate not_worse_than_champion: log loss 0.7", version="4", planted=("bad",))


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (REFUSED, "PRESENT"),
        (Outcome("version 4 is challenger", version="4", delivered=True, planted=("bad",)), "ABSENT"),
        (Outcome("no module named nonsense", planted=("bad",)), "ABSENT"),
        (Outcome(REFUSED.said, planted=("slow",)), "ABSENT"),
        (None, "ABSENT"),
    ],
    ids=["for its reason", "let through", "for another reason", "something else was planted", "not there"],
)
def test_a_refusal_counts_only_for_what_was_planted(played: Played, outcome: Outcome | None, answer: str) -> None:
    played.flawed = {"bad": outcome} if outcome else {}
    assert refused(played, "bad", "bad", "not_worse_than_champion", "a bad model").answer == answer


@pytest.mark.parametrize(
    ("mutants", "answer"),
    [
        (Mutants(True, True, {"a wrong": True}), "PRESENT"),
        (Mutants(True, True, {"a wrong": False}), "ABSENT"),
        (Mutants(True, True, {}), "ABSENT"),
        (Mutants(True, False, {"a wrong": True}, {"as it is": "1 failed"}), "ABSENT"),
        (Mutants(), "ABSENT"),
    ],
    ids=["noticed", "missed", "nothing to put wrong", "red before", "no tests"],
)
def test_tests_that_are_red_anyway_notice_nothing(mutants: Mutants, answer: str) -> None:
    assert notices(mutants, "a wrong").answer == answer


def run(trigger: str) -> dict[str, Any]:
    return {"run_id": "0" * 32, "status": "FINISHED", "tags": {"trigger": trigger}}


def test_guards_are_there_only_where_something_is_held(played: Played) -> None:
    assert retraining.guards_hold(played).answer == "ABSENT"
    played.trouble.triggered = [run("performance")]
    assert retraining.guards_hold(played).answer == "PRESENT"
    played.trouble.runs_on_broken = 1
    assert retraining.guards_hold(played).answer == "ABSENT"
    played.trouble.runs_on_broken, played.trouble.triggered = 0, [run("drift")] * 3
    assert retraining.guards_hold(played).answer == "ABSENT"


def test_people_are_asked_only_if_something_waits_for_them(played: Played) -> None:
    played.trouble.issues = ["issues/2013-07-20.md"]
    assert retraining.people_are_asked(played).answer == "ABSENT"
    played.trouble.said.append("HOLD jump: no training until people have looked at 2013-07-20.md")
    assert retraining.people_are_asked(played).answer == "PRESENT"


@pytest.mark.parametrize(
    ("alarm", "quality", "drift"),
    [
        ("2013-07-16: ALARM performance (bias -0.1)", "PRESENT", "ABSENT"),
        ("2013-07-16: HOLD jump (mean temp 3.2)", "ABSENT", "PRESENT"),
        ("", "ABSENT", "ABSENT"),
    ],
)
def test_an_alarm_counts_for_what_it_is_about(played: Played, alarm: str, quality: str, drift: str) -> None:
    played.trouble.alarms = [alarm] if alarm else []
    assert monitoring.quality_alarm(played).answer == quality
    assert monitoring.drift_alarm(played).answer == drift


def test_a_feature_that_is_computed_twice_is_found(played: Played, tmp_path: Path) -> None:
    (tmp_path / "features.py").write_text('features = {"minute_of_day": 0}\nnames = ["minute_of_day"]\n')
    assert data.one_definition(played).answer == "PRESENT"
    (tmp_path / "app.py").write_text("row = dict(minute_of_day=0)\n")
    found = data.one_definition(played)
    assert (found.answer, "app.py" in found.says) == ("ABSENT", True)


def test_a_word_about_the_model_ends_the_silence(played: Played) -> None:
    assert monitoring.heard_of_no_more(played).answer == "PRESENT"
    played.seen[0].said = "go on after 1,000 flights, challenger ahead by +0.01"
    assert monitoring.heard_of_no_more(played).answer == "ABSENT"
