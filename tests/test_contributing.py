"""The recipes of CONTRIBUTING.md: each is walked in a copy of the project, with the commands that it shows."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shared.levels.working_copy import Edit

from .conftest import ROOT, commands_in

DOCUMENT = ROOT / "CONTRIBUTING.md"
SECONDS = 120.0  # a command, on a busy machine


@dataclass(frozen=True)
class Walk:
    """What somebody writes who follows a recipe, before the commands of its last step."""

    title: str
    edits: list[Edit] = field(default_factory=list)
    new: dict[str, str] = field(default_factory=dict)  # by file

    @property
    def recipe(self) -> str:
        """Return the section of the document."""
        return section(self.title)


def section(title: str) -> str:
    """Return what stands below a heading of the document."""
    return DOCUMENT.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]


MONTH = '''"""The feature of the recipe."""

import numpy as np

from ...data.features import CATEGORICAL, NUMERIC, make_features


def test_january_is_the_first_month_and_december_the_last() -> None:
    columns = dict.fromkeys([*CATEGORICAL, *NUMERIC], [0, 0])
    features = make_features(columns | {"scheduled_departure": ["2013-01-31T05:15", "2013-12-01T23:59"]})
    np.testing.assert_array_equal(features["month"], [1, 12])
'''
FEATURE = Walk(
    "Add a feature to a level",
    [
        Edit(
            "level2_training/data/features.py",
            "Monday is 0\n",
            "Monday is 0\n"
            '        "month": departure.astype("datetime64[M]").astype(int) % 12 + 1,  # 1970-01 is 0\n',
        ),
        Edit(
            "level2_training/tests/data/test_features.py", "minute_of_day weekday ", "minute_of_day weekday month "
        ),
        Edit(
            "docs/levels.yaml",
            "            why: training and serving get the same features\n            chapter: features\n",
            "            why: training and serving get the same features\n            chapter: features\n"
            "          - file: tests/data/test_month.py\n"
            "            change: added\n"
            "            why: months are counted from one\n"
            "            chapter: features\n",
        ),
        Edit("shared/new/rules.yaml", "drop:\n", "drop:\n  - tests/data/test_month\\.py\n"),
    ],
    {"level2_training/tests/data/test_month.py": MONTH},
)

CRITERION = Walk(
    "Add a criterion to the assessment",
    [
        Edit(
            "shared/assessment/criteria/criteria.yaml",
            "- {id: EXP-01,",
            "- {id: DAT-13, statement: Whatever was published is kept under its own name., sources: [CD4ML], "
            "gigaom: architecture, first: 1, expected: M P P P P}\n- {id: EXP-01,",
        ),
        Edit(
            "shared/assessment/probes/data.py",
            '@probe("DAT-03")\n',
            '@probe("DAT-13")\n'
            "def kept_under_its_name(scenario: Scenario) -> Finding:\n"
            '    """Nobody has to help, so that the first files are there."""\n'
            "    if scenario.first_model.collected == 3:\n"
            "        return present(_copies(scenario))\n"
            "    return (manual if scenario.first_model.after_people == 3 else absent)(_copies(scenario))\n\n\n"
            '@probe("DAT-03")\n',
        ),
        Edit(
            "shared/assessment/criteria/questions.yaml",
            "criteria: [DAT-01, DAT-02]",
            "criteria: [DAT-01, DAT-02, DAT-13]",
        ),
        Edit("tests/assessment/test_criteria.py", '09 10 11 12",\n    "EXP', '09 10 11 12 13",\n    "EXP'),
        Edit(
            "tests/assessment/test_probes.py",
            "def test_who_brings_a_model(",
            "def test_files_keep_their_names_or_not(scenario: Scenario) -> None:\n"
            '    assert data.kept_under_its_name(scenario).answer == "PRESENT"\n'
            "    scenario.first_model.collected = scenario.first_model.after_people = 0\n"
            '    assert data.kept_under_its_name(scenario).answer == "ABSENT"\n\n\n'
            "def test_who_brings_a_model(",
        ),
    ],
)

INCIDENT = Walk(
    "Add an incident",
    [
        Edit(
            "shared/world/incidents.py",
            "def half(",
            "def metric(flights: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:\n"
            '    """Give the sight in kilometres instead of miles."""\n'
            '    return flights.assign(visib=flights["visib"] * 1.609)\n\n\n'
            "def half(",
        ),
        Edit(
            "shared/world/incidents.py",
            "        # Budget cuts",
            '        Incident(\n            "metric", _day("04-16"), _day("04-18"), "sight in kilometres",\n'
            '            flights=metric, corrected=_day("04-19"),\n        ),\n'
            "        # Budget cuts",
        ),
        Edit(
            "tests/world/test_incidents.py",
            "def test_humidity_is_a_share(",
            "def test_the_sight_is_in_kilometres(year: Year) -> None:\n"
            "    day = date(2013, 4, 17)\n"
            '    real, published = year.flights_of(day)["visib"], flights(year, day, "metric")["visib"]\n'
            "    assert published.max() > real.max() == 10\n\n\n"
            "def test_humidity_is_a_share(",
        ),
    ],
)

TASK = """\
- number: 100
  level: 1
  title: Whoever writes an offset means it
  chapter: 0-1/1-collect
  task: |
    Times are local in New York. Write `to_local` in `data/schema.py`, which honours an offset.
  holes: [{file: data/schema.py, function: to_local}]
  tests: [data/test_local_time.py]
  hint: A time that does not survive the way to UTC and back does not exist.
"""
LOCAL_TIME = '''"""The function of the exercise."""

from datetime import UTC, datetime

from ...data.schema import to_local


def test_a_time_with_an_offset_becomes_local() -> None:
    assert to_local(datetime(2013, 7, 1, 12, tzinfo=UTC)) == datetime(2013, 7, 1, 8)
'''
EXERCISE = Walk(
    "Add an exercise",
    [Edit("docs/lessons/exercises.yaml", "- number: 1\n", f"{TASK}- number: 1\n")],
    {"docs/lessons/exercises/100/tests/data/test_local_time.py": LOCAL_TIME},
)

WALKS = [Walk("Set up"), FEATURE, CRITERION, INCIDENT, EXERCISE]
WALKED = {command for walk in WALKS for command in commands_in(walk.recipe)}
IS_CHECKED_ALREADY = {"make check"}  # by whoever runs these tests


def prepared(walk: Walk, checkout: Path) -> Path:
    """Make the edits of a walk."""
    for edit in walk.edits:
        edit.make(checkout)
    for file, text in walk.new.items():
        (checkout / file).parent.mkdir(parents=True, exist_ok=True)
        (checkout / file).write_text(text)
    return checkout


@pytest.mark.slow
@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: str(walk.title))
def test_a_recipe_leads_where_it_says(walk: Walk, checkout: Path) -> None:
    prepared(walk, checkout)
    for command in commands_in(walk.recipe):
        if command not in IS_CHECKED_ALREADY:
            printed, code = run_alone(command, checkout)
            assert code == 0, f"{command}\n{printed[-5000:]}"


def run_alone(command: str, checkout: Path) -> tuple[str, int]:
    """Run a command; return what it printed and its code. What it started does not outlive its time."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    with subprocess.Popen(
        ["bash", "-c", command],
        cwd=checkout,
        env=plain,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            return process.communicate(timeout=SECONDS)[0], process.returncode
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: str(walk.title))
def test_a_recipe_names_every_file_that_has_to_be_written(walk: Walk) -> None:
    for file in [*(edit.file for edit in walk.edits), *walk.new]:
        assert f"`{file}`" in walk.recipe, f"{file} is not named below '{walk.title}'"


def test_every_command_of_the_document_belongs_to_a_walk() -> None:
    assert set(commands_in(DOCUMENT.read_text())) == WALKED


def test_every_file_that_the_document_names_is_there_or_new() -> None:
    named = re.findall(r"`([\w./-]+/[\w./-]+)`(?! \(new\))", DOCUMENT.read_text())
    assert len(named) > 20
    for name in named:
        assert (ROOT / name).exists() or list(ROOT.glob(f"level*/{name}")), f"{name} is not there"


def test_every_test_that_a_command_runs_is_there() -> None:
    for command in WALKED:
        for name in re.findall(r"\S*tests/\S+", command):
            assert (ROOT / name).exists(), f"{command} runs {name}, which is not there"
