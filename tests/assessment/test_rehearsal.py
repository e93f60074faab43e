"""Probes about tests, rehearsals and releases of pipelines, on made-up scenarios and workflows."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shared.assessment.probes import rehearsal
from shared.assessment.scenario.code_release import CodeRelease
from shared.assessment.scenario.mutants import Mutants
from shared.assessment.scenario.pytest_runs import run_all
from shared.assessment.scenario.rebuild import Environment, Rebuild
from shared.assessment.scenario.scenario import Faults, Scenario, SecondModel
from shared.assessment.scenario.uncertified_model import Uncertified
from shared.assessment.scenario.workflow_run import workflows_on_push
from shared.base import ROOT, levels

PIPELINE = "level4_full/.github/workflows/pipeline.yml"


def scenario_of(**context: Any) -> Any:
    return Scenario(SimpleNamespace(**context))  # type: ignore[arg-type]


def level_with(folder: Path, *changes: tuple[str, str]) -> Any:
    """Return a level that has nothing but the workflow of level 4, changed."""
    text = (ROOT / PIPELINE).read_text()
    for find, put in changes:
        assert find in text
        text = text.replace(find, put)
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    (workflows / "pipeline.yml").write_text(text)
    return scenario_of(source=folder, stage=SimpleNamespace(number=4), short=lambda path: path.name)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("needs: rehearse", "needs: test"), "goes on"),
        (("needs: test", "if: true"), "goes on"),
        (("make level$LEVEL ONCE=1", "make test"), "not test, rehearse and release"),
        (("make level$LEVEL ONCE=1", "make level$LEVEL ONCE=1 || true"), "goes on"),
        (("environment: production", "timeout-minutes: 5"), "nobody can be asked"),
    ],
    ids=["waits for the tests only", "rehearses at once", "no rehearsal", "whatever it says", "without approval"],
)
def test_a_release_that_no_rehearsal_stops_is_found(tmp_path: Path, change: tuple[str, str], problem: str) -> None:
    assert rehearsal.release_is_rehearsed(level_with(tmp_path / "whole")).answer == "PRESENT"
    finding = rehearsal.release_is_rehearsed(level_with(tmp_path / "changed", change))
    assert (finding.answer, problem in finding.seen) == ("ABSENT", True), finding.seen


def test_jobs_run_in_the_order_of_their_needs_and_not_after_a_failure(tmp_path: Path) -> None:
    (workflow,) = workflows_on_push(ROOT / levels()[4])[-1:]
    tested, rehearsed = ["check", "test LEVEL=4"], ["level4 ONCE=1"]
    assert workflow.run(tmp_path / "all", 4) == [*tested, *rehearsed, "deploy LEVEL=4"]
    assert workflow.run(tmp_path / "one fails", 4, fails="^level4") == [*tested, *rehearsed]
    assert workflow.run(tmp_path / "the first fails", 4, fails="^check") == ["check"]


ROOMS = {"data": ["half a file"], "serving": ["another order"]}


@pytest.mark.parametrize(
    ("mutants", "answer"),
    [
        (Mutants(True, True, {"half a file": True, "another order": True}, rooms=ROOMS), "PRESENT"),
        (Mutants(True, True, {"half a file": True, "another order": False}, rooms=ROOMS), "ABSENT"),
        (Mutants(True, True, {"half a file": True}, rooms={"data": ["half a file"], "audit": []}), "ABSENT"),
        (Mutants(True, False, {"half a file": True, "another order": True}, rooms=ROOMS), "ABSENT"),
        (Mutants(rooms=ROOMS), "ABSENT"),
    ],
    ids=["all noticed", "one missed", "a room without a mutant", "red before", "no tests"],
)
def test_every_room_has_to_notice_its_defect(mutants: Mutants, answer: str) -> None:
    scenario = scenario_of()
    mutants.output = dict.fromkeys(("as it is", "half a file", "another order"), "seen")
    scenario.mutants = mutants
    assert rehearsal.every_room_is_tested(scenario).answer == answer


def orchestrator(state: str) -> Callable[..., list[dict[str, Any]]]:
    return lambda path, **content: [{"state_type": state}] if "version-2" in json.dumps(content) else []


@pytest.mark.parametrize(
    ("by_itself", "state", "served", "answer"),
    [
        (True, "COMPLETED", False, "PRESENT"),
        (True, "COMPLETED", True, "ABSENT"),
        (True, "FAILED", False, "ABSENT"),
        (False, "COMPLETED", False, "MANUAL"),
    ],
    ids=["a pipeline", "and anybody", "not the pipeline", "a command"],
)
def test_models_are_released_by_a_pipeline_only(by_itself: bool, state: str, served: bool, answer: str) -> None:
    scenario = scenario_of(pipeline=orchestrator(state))
    scenario.second_model = SecondModel(by_itself, "m/1@aa", "m/2@bb", [], [], "2")
    scenario.uncertified = Uncertified("3", served, "", "m/2@bb", "m/2@bb")
    assert rehearsal.pipeline_releases(scenario).answer == answer


@pytest.mark.parametrize(
    ("seconds", "commit", "answer"),
    [(101, "new", "PRESENT"), (101, "old", "ABSENT"), (99, "new", "ABSENT")],
    ids=["the new code", "the old code", "none after it"],
)
def test_a_training_after_a_release_runs_its_code(seconds: int, commit: str, answer: str) -> None:
    scenario = scenario_of()
    scenario.code_release = CodeRelease("make deploy", "new", "new", [], "", ended=100.0)
    scenario.faults = Faults(triggered=[{"start_time": seconds * 1000, "tags": {"commit": commit}}])
    assert rehearsal.pipeline_is_released(scenario).answer == answer


ENVIRONMENT = Environment("m/2@bb", "9c1f", "d1ce57", (0.25,))


@pytest.mark.parametrize(
    ("after", "answer"),
    [
        (ENVIRONMENT, "PRESENT"),
        (replace(ENVIRONMENT, model="m/1@aa"), "ABSENT"),
        (replace(ENVIRONMENT, content="0ff"), "ABSENT"),
        (replace(ENVIRONMENT, answers=(0.26,)), "ABSENT"),
        (None, "ABSENT"),
    ],
    ids=["the same", "another model", "other files", "other answers", "nothing to start from"],
)
def test_what_comes_back_has_to_be_the_same(after: Environment | None, answer: str) -> None:
    scenario = scenario_of()
    scenario.rebuild = Rebuild(ENVIRONMENT if after else None, after, 7)
    assert rehearsal.environment_comes_back(scenario).answer == answer


@pytest.mark.slow
def test_each_run_of_tests_sees_its_own_copy(tmp_path: Path) -> None:
    jobs = []
    for name, number in (("one", 1), ("two", 2)):
        package = tmp_path / name / "package"
        package.mkdir(parents=True)
        (package / "module.py").write_text(f"NUMBER = {number}\n")
        test = package / "test_number.py"
        test.write_text("from package.module import NUMBER\n\n\ndef test_one():\n    assert NUMBER == 1\n")
        jobs.append({"folder": str(tmp_path / name), "arguments": ["-q", "--import-mode=importlib", str(test)]})
    one, two = run_all(jobs, tmp_path)
    assert (one.code, two.code) == (0, 1)
    assert "assert 2 == 1" in two.output
