"""Probes about features on made-up scenarios: each must be able to find, and to find nothing."""

from pathlib import Path

import pytest

from shared.assessment.probes import features
from shared.assessment.probes.probe import PROBES
from shared.assessment.scenario.new_feature import CHANGES, NewFeature
from shared.assessment.scenario.scenario import Scenario
from shared.base import ROOT, levels
from shared.stack.stage import Event
from shared.world.source import apply_all

from .test_probes import Nowhere, a_day

ADDED = ["data/features.py", "tests/data/test_features.py"]


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    scenario = Scenario(Nowhere(tmp_path))  # type: ignore[arg-type]
    scenario.days = [a_day(0, 1)]
    scenario.new_feature = NewFeature(["data/features.py"], touched=ADDED, by_itself=True, serves=True)
    return scenario


def test_a_feature_gets_into_production_by_itself_by_people_or_not(scenario: Scenario) -> None:
    assert features.a_feature_is_added(scenario).answer == "PRESENT"
    scenario.new_feature.by_itself = False
    assert features.a_feature_is_added(scenario).answer == "MANUAL"
    scenario.new_feature.serves = False
    assert features.a_feature_is_added(scenario).answer == "ABSENT"


def test_a_feature_that_is_computed_twice_or_has_no_test_is_not_easily_added(scenario: Scenario) -> None:
    scenario.new_feature.touched = ADDED[:1]
    assert features.a_feature_is_added(scenario).answer == "ABSENT"
    scenario.new_feature = NewFeature(["serving/app.py", "a.ipynb"])
    assert features.a_feature_is_added(scenario).answer == "ABSENT"


def test_a_store_that_is_late_is_an_event_about_it(scenario: Scenario) -> None:
    assert features.a_late_store_is_noticed(scenario).answer == "ABSENT"
    scenario.days[0].events.append(Event("alarm", "late", {"materialised": False}))
    assert features.a_late_store_is_noticed(scenario).answer == "PRESENT"


def test_a_training_that_fails_for_another_reason_enforces_no_rule(scenario: Scenario) -> None:
    scenario.new_feature.banned = "No module named 'level1_devops.training'"
    assert PROBES["DAT-09"](scenario).answer == "ABSENT"


@pytest.mark.parametrize("number", [number for number in levels() if number >= 2])
def test_the_new_feature_changes_two_files_of_a_level(tmp_path: Path, number: int) -> None:
    for name in ADDED:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((ROOT / levels()[number] / name).read_text())
    assert [str(path.relative_to(tmp_path)) for path in apply_all(tmp_path, *CHANGES)] == ADDED
