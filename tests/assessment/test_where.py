"""Where are you: five invented teams, and answers that are open, half or impossible."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shared.assessment.criteria.criteria import read_criteria
from shared.assessment.criteria.where import advise, contradictions, place, read_questions, understand
from shared.assessment.report.where_page import PAGE, page
from shared.base import ROOT, StageError

MODELS, QUESTIONS = read_questions()

# What each team has; whatever is not named it has not. The levels are those that each model's own text gives it:
# Microsoft, Google, AWS, and the README of five levels.
BUREAU: list[str] = []  # one analyst, a notebook, a CSV by mail
SHOP = ["collected", "app_tested", "app_released", "operated"]  # good web engineers with a model in a pickle
LAB = [
    *[*SHOP, "scoring_tested", "pipeline", "tracked", "reproducible"],
    *["versioned", "data_checked", "one_definition", "one_command", "declared", "announced"],
]
AIRLINE = [*LAB, "scheduled", "gated", "all_tested", "unattended", "staged", "share_first", "taken_back", "traced"]
EXCHANGE = [*AIRLINE, "pipeline_released", "watched", "closed_loop", "no_downtime"]
TEAMS = {
    "bureau": (BUREAU, (0, 0, 0, 0)),
    "shop": (SHOP, (1, 0, 0, 1)),
    "lab": (LAB, (2, 0, 1, 2)),
    "airline": (AIRLINE, (3, 1, 2, 3)),
    "exchange": (EXCHANGE, (4, 2, 2, 4)),
}


def answers_of(has: list[str], **changes: Any) -> dict[str, str]:
    return understand({question.id: "yes" if question.id in has else "no" for question in QUESTIONS} | changes)


@pytest.mark.parametrize("team", TEAMS)
def test_a_team_comes_out_where_each_model_puts_it(team: str) -> None:
    has, expected = TEAMS[team]
    found = [place(model, answers_of(has)) for model in MODELS]
    assert [placed.low for placed in found] == [placed.high for placed in found] == list(expected)


def test_every_question_stands_for_criteria_and_every_criterion_is_asked() -> None:
    asked = [name for question in QUESTIONS for name in question.criteria]
    assert set(asked) == set(read_criteria())
    assert len(asked) == len(set(asked))
    assert 18 <= len(QUESTIONS) <= 26
    for question in QUESTIONS:
        assert question.levels
        assert set(question.levels) <= set(MODELS)


def test_what_holds_a_team_is_named_and_the_next_diff_is_shown() -> None:
    said = advise(answers_of(LAB))
    assert "Microsoft: level 2" in said
    assert "Is a worse model refused by a machine" in said
    assert "docs/steps/2-3/README.md" in said
    assert "Does new data reach" not in said


def test_what_is_unknown_makes_a_range_and_is_said() -> None:
    answers = answers_of(AIRLINE, versioned="unknown")
    found = place("microsoft", answers)
    assert (found.low, found.high) == (1, 3)
    assert "up to level 3 if all that is open turns out well" in advise(answers)
    assert "1 of 26 questions are open (versioned)" in advise(answers)


def test_half_an_answer_is_not_an_answer() -> None:
    answers = understand({"collected": "yes"})
    assert place("microsoft", answers).low == 0
    assert place("microsoft", answers).high == 4
    assert "25 of 26 questions are open" in advise(answers)


def test_partly_counts_as_not_yet_and_is_said() -> None:
    answers = answers_of(AIRLINE, tracked="partly")
    assert (place("microsoft", answers).low, place("microsoft", answers).high) == (1, 1)
    assert "Partly counts as not yet: Does every training leave" in advise(answers)


def test_a_contradiction_is_said_and_neither_believed_nor_ruled_out() -> None:
    answers = answers_of(EXCHANGE, gated="no")  # models go live unattended, and nothing refuses a bad one
    assert [(question.id, need) for question, need in contradictions(answers)] == [("unattended", "gated")]
    assert "These do not go together: yes to 'unattended', no to 'gated'" in advise(answers)
    assert place("readme", answers).low == 2
    assert place("readme", answers).high == 4


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"colected": "yes"}, "there is no question 'colected'"),
        ({"collected": "maybe"}, "collected: 'maybe' is not understood"),
    ],
)
def test_what_is_not_understood_is_named(given: dict[str, str], says: str) -> None:
    with pytest.raises(StageError, match=says):
        understand(given)


@pytest.mark.slow
def test_a_file_of_answers_is_read_as_people_write_it(tmp_path: Path) -> None:
    path = tmp_path / "answers.yaml"
    path.write_text("collected: yes\napp_tested: Yes\napp_released: no\noperated:\n")
    done = run_where(str(path))
    assert done.returncode == 0, done.stderr
    assert "Microsoft: level 0, No MLOps" in done.stdout
    path.write_text("- yes\n")
    assert "holds no answers" in run_where(str(path)).stderr


def run_where(*arguments: str, said: str = "") -> "subprocess.CompletedProcess[str]":
    command = [str(ROOT / ".venv" / "bin" / "python"), "-m", "shared.assessment", "where", *arguments]
    return subprocess.run(command, cwd=ROOT, input=said, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_questions_are_asked_one_by_one() -> None:
    done = run_where(said="y\nwhat?\nn\n" + "\n" * len(QUESTIONS))
    assert done.returncode == 0, done.stderr
    assert "y, p, n, or nothing" in done.stdout
    assert "24 of 26 questions are open" in done.stdout


def test_the_page_is_written_from_the_same_questions_and_asks_nobody_else() -> None:
    assert PAGE.read_text() == page(), "docs/where.html is stale: make where PAGE=1"
    assert not re.search(r"https?://|src=|@import", page())


@pytest.mark.skipif(shutil.which("node") is None, reason="no JavaScript engine to run the page's script with")
def test_the_page_places_every_team_like_the_command(tmp_path: Path) -> None:
    (script,) = re.findall(r"<script>(.*?)</script>", page(), re.DOTALL)
    given = [answers_of(has) for has, _ in TEAMS.values()]
    given += [
        answers_of(EXCHANGE, gated="no"),
        answers_of(AIRLINE, versioned="unknown"),
        understand({"collected": "yes"}),
    ]
    (tmp_path / "page.js").write_text(script)
    ask = (
        "const page = require('./page.js'), given = JSON.parse(require('fs').readFileSync(0));"
        "console.log(JSON.stringify(given.map(a => Object.keys(page.content.models).map(m => page.place(m, a)))))"
    )
    done = subprocess.run(
        ["node", "-e", ask], cwd=tmp_path, input=json.dumps(given), capture_output=True, text=True, check=True
    )
    expected = [[place(model, answers) for model in MODELS] for answers in given]
    assert json.loads(done.stdout) == [
        [
            {"low": placed.low, "high": placed.high, "heldBy": [question.id for question in placed.held_by]}
            for placed in row
        ]
        for row in expected
    ]
