"""Where are you? 26 plain questions, and what each model makes of the answers."""

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ...base import ROOT, StageError
from .criteria import HERE

ANSWERS = ("yes", "partly", "no", "unknown")
SHORT = {"y": "yes", "p": "partly", "n": "no", "": "unknown", "?": "unknown"}


@dataclass(frozen=True)
class Question:
    """One plain question."""

    id: str
    asks: str
    criteria: list[str]
    levels: dict[str, int]
    needs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Model:
    """A maturity model and the names of its levels, from 0."""

    title: str
    names: list[str]
    note: str = ""


@dataclass(frozen=True)
class Place:
    """Where a model puts a team: certainly at `low`, at `high` if all that is open turns out well."""

    low: int
    high: int
    held_by: list[Question]  # what the level above `low` asks for and the team does not have for sure


@cache
def read_questions() -> tuple[dict[str, Model], list[Question]]:
    """Return the models and the questions."""
    content = yaml.safe_load((HERE / "questions.yaml").read_text())
    models = {name: Model(**model) for name, model in content["models"].items()}
    return models, [Question(**question) for question in content["questions"]]


def understand(given: dict[str, Any]) -> dict[str, str]:
    """Return an answer to every question; what was not given is unknown.

    Raises:
        StageError: an answer or a question is not one that is known.
    """
    ids = [question.id for question in read_questions()[1]]
    strange = sorted(set(map(str, given)) - set(ids))
    if strange:
        raise StageError(f"there is no question {strange[0]!r}: the questions are {', '.join(ids)}")
    answers = dict.fromkeys(ids, "unknown")
    for name, answer in given.items():
        word = {True: "yes", False: "no", None: "unknown"}.get(
            answer, str(answer).strip().lower()
        )  # YAML has yes as true
        if word not in ANSWERS:
            raise StageError(f"{name}: {answer!r} is not understood: answer {', '.join(ANSWERS)}")
        answers[name] = word
    return answers


def contradictions(answers: dict[str, str]) -> list[tuple[Question, str]]:
    """Return each question that was answered yes although something it needs was answered no."""
    return [
        (question, need)
        for question in read_questions()[1]
        for need in question.needs
        if answers[question.id] == "yes" and answers[need] == "no"
    ]


def place(model: str, answers: dict[str, str]) -> Place:
    """Return where a model puts a team; a yes that contradicts another answer is not relied on, nor ruled out."""
    doubtful = {question.id for question, _ in contradictions(answers)}
    open_to_yes = doubtful | {name for name, answer in answers.items() if answer == "unknown"}
    sure = {name for name, answer in answers.items() if answer == "yes"} - doubtful
    models, questions = read_questions()
    low, high = (_highest(model, len(models[model].names) - 1, has) for has in (sure, sure | open_to_yes))
    held_by = [
        question for question in questions if question.levels.get(model) == low + 1 and question.id not in sure
    ]
    return Place(low, high, held_by)


def _highest(model: str, top: int, has: set[str]) -> int:
    """Return the highest level of which everything, and everything below it, is there."""
    asking = [question for question in read_questions()[1] if model in question.levels]
    missing = [question.levels[model] for question in asking if question.id not in has]
    return min([top, *(level - 1 for level in missing)])


def advise(answers: dict[str, str]) -> str:
    """Return in words where each model puts the team, what holds it there, and what to read next."""
    models, questions = read_questions()
    asked = {question.id: question for question in questions}
    lines = []
    for name, model in models.items():
        placed = place(name, answers)
        lines += ["", f"{model.title}: {_named(model, placed)}"]
        lines += [
            f"  held there by: {question.asks} ({answers[question.id]}; {', '.join(question.criteria)})"
            for question in placed.held_by
        ]
        lines += [f"  {model.note}"] if model.note else []
    lines += [
        "",
        "GigaOm and ML Op Shop: no level is claimed, since their cells are not public or not about one model.",
    ]
    unknown = [name for name, answer in answers.items() if answer == "unknown"]
    if unknown:
        lines += [
            "",
            f"{len(unknown)} of {len(answers)} questions are open ({', '.join(unknown)}): find out, "
            "and ask again.",
        ]
    for name, answer in answers.items():
        if answer == "partly":
            lines.append(f"Partly counts as not yet: {asked[name].asks}")
    for question, need in contradictions(answers):
        lines.append(
            f"These do not go together: yes to {question.id!r}, no to {need!r}. One of the two is not "
            "as you think."
        )
    return "\n".join([*lines, "", next_step(answers)]).strip()


def _named(model: Model, placed: Place) -> str:
    low = f"level {placed.low}, {model.names[placed.low]}"
    if placed.low == placed.high:
        return low
    return f"{low}; up to level {placed.high} if all that is open turns out well"


def next_step(answers: dict[str, str]) -> str:
    """Return what to study next: the diff that adds what Microsoft's next level asks for."""
    level = place("microsoft", answers).low
    lesson = ROOT / "docs" / "steps" / f"{level}-{level + 1}" / "README.md"
    if not lesson.exists():
        return (
            "There is no level above to study here." if level >= 4 else f"Level {level + 1} is not built here yet."
        )
    return (
        f"Next: docs/steps/{level}-{level + 1}/README.md, or `make diff FROM={level} TO={level + 1}`; each "
        "cell's proof: docs/matrix.md"
    )


def ask_people() -> dict[str, str]:
    """Ask one question after the other on a terminal."""
    given = {}
    questions = read_questions()[1]
    print("Answer y(es), p(artly), n(o), or nothing if you do not know.")
    for n, question in enumerate(questions, 1):
        prompt = f"{n:>2}/{len(questions)}  {question.asks} "
        while (answer := input(prompt).strip().lower()) not in {*SHORT, *ANSWERS}:
            print("      y, p, n, or nothing")
        given[question.id] = SHORT.get(answer, answer)
    return given


def read_answers(path: Path) -> dict[str, Any]:
    """Return the answers in a file.

    Raises:
        StageError: it cannot be read, or is not a list of `question: answer`.
    """
    try:
        given = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise StageError(f"{path} cannot be read: {error}") from error
    if not isinstance(given, dict):
        raise StageError(f"{path} holds no answers: write lines such as `collected: yes`")
    return given
