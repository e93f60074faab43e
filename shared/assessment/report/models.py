"""The same findings as each model tells them, one page per model, in docs/models."""

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from ...base import ROOT, git, write_text
from ...markdown import table
from ..criteria.criteria import GIGAOM, HERE, Answer, Criterion, read_criteria
from ..criteria.score import SECTIONS, read_tests
from .matrix import WORDS, numbers_of

PAGES = ROOT / "docs" / "models"
FILES = {"readme": "five_levels"}  # README.md is the list of pages, and some disks take both names for one
NO_MODELS = ("stand_ins", "unmapped")
WRITTEN = "Written by `make assess`; do not edit."
ABOUT_GIGAOM = """\
GigaOm has five levels by five categories. The 25 cells are not public, so none is quoted and none is claimed, and
no level either. Our criteria are only sorted by the names of the categories, to the best of our understanding.
"""
ABOUT_THE_SCORE = """\
By the rule of 2017: half a point for a test done by hand and written down, one when it is automated and repeated;
a section is a sum, the score is the lowest of the four. Points come from the probes alone: a test that no probe
looks at counts nothing, although it may be there. In brackets, what was estimated before anything was measured.
"""


def write(assessment: dict[str, Any]) -> list[Path]:
    """Write all pages and return their paths."""
    views = read_views()
    pages = {FILES.get(name, name): page(name, view, assessment) for name, view in views.items()}
    pages |= {"ml_test_score": ml_test_score(assessment), "README": index(views)}
    PAGES.mkdir(exist_ok=True)
    for name, text in pages.items():
        write_text(PAGES / f"{name}.md", text)
    return [PAGES / f"{name}.md" for name in pages]


def read_views() -> dict[str, Any]:
    """Return how each model is laid out that has a page."""
    return {name: view for name, view in _read_all().items() if name not in NO_MODELS}


def _read_all() -> dict[str, Any]:
    return dict(yaml.safe_load((HERE / "views.yaml").read_text()))


def page(name: str, view: dict[str, Any], assessment: dict[str, Any]) -> str:
    """Return one model's page."""
    own = f"[the model's own]({view['url']})" if "url" in view else "the model's own"
    parts = [f"# {view['title']}", f"{WRITTEN} All sentences are ours, not {own}."]
    if name == "gigaom":
        parts += [ABOUT_GIGAOM.strip(), *_gigaom(assessment)]
    for key, title in view["keys"].items():
        parts += [f"## {title}", _level(view, key, assessment)]
    if name == "microsoft":
        parts += [_revision(view["revision"]), "## What cannot be run", _stand_ins()]
    if disagreements := _disagreements(name):
        parts += ["## Where models disagree", disagreements]
    return "\n\n".join(parts) + "\n"


def _level(view: dict[str, Any], key: str, assessment: dict[str, Any]) -> str:
    """Return a level of a model as a table: its criteria, by column where it has columns, and our five levels."""
    rows = []
    for letter, column in view.get("columns", {"": ""}).items():
        source = f"{view['prefix']}-{key}{f'.{letter}' if letter else ''}"
        for criterion in read_criteria().values():
            if {source, f"{source}*"} & set(criterion.sources):
                added = " (added in 2025)" if f"{source}*" in criterion.sources else ""
                rows.append([f"{column}{added}"] * bool(column) + _cells(criterion, assessment))
    if not rows:
        return str(view.get("unseen", {}).get(key, "Nothing that a running level could show is asked for here."))
    return table([""] * bool(view.get("columns")) + _head(assessment), rows)


def _head(assessment: dict[str, Any]) -> list[str]:
    return ["", "", *numbers_of(assessment)]


def _cells(criterion: Criterion, assessment: dict[str, Any]) -> list[str]:
    """Return a criterion as a row: its id, its statement, and what was answered at each level."""
    answers = {row["id"]: row["answers"] for row in assessment["criteria"]}.get(criterion.id, {})
    cells = [criterion.id, criterion.statement]
    for number in numbers_of(assessment):
        link = f"../evidence/level{number}.md#{criterion.id.lower()}"
        cells.append(f"[{WORDS[Answer(answers[number])]}]({link})" if number in answers else "")
    return cells


def _gigaom(assessment: dict[str, Any]) -> list[str]:
    """Return the criteria by the name of the category they are nearest to."""
    parts = []
    for category in GIGAOM:
        criteria = [criterion for criterion in read_criteria().values() if criterion.gigaom == category]
        rows = [_cells(criterion, assessment) for criterion in criteria]
        parts += [f"## {category.capitalize()}", table(_head(assessment), rows)]
    return parts


def _disagreements(name: str) -> str:
    entries = yaml.safe_load((HERE / "disagreements.yaml").read_text())
    lines = []
    for entry in entries:
        if name in entry["models"]:
            about = f"{entry['about'][0].upper()}{entry['about'][1:]}"
            lines.append(f"- **{about}.** {entry['claims']} Here: {entry['settled']}")
    return "\n".join(lines)


def _revision(revision: dict[str, Any]) -> str:
    """Return what a revision of a model's text added, beside the criteria that stand for it."""
    rows = [
        [str(entry["level"]), entry["says"], ", ".join(entry["criteria"]) or f"none: {entry['note']}"]
        for entry in revision["added"]
    ]
    return f"## {revision['title']}\n\n[The text]({revision['url']}); all words here are ours.\n\n" + table(
        ["level", "added", "criteria"], rows
    )


def _stand_ins() -> str:
    """Return what stands in for people and organisation, and whether its file is there."""
    files = git(ROOT, "ls-files", "-z").split("\0")
    rows = []
    for entry in _read_all()["stand_ins"]:
        is_there = any(fnmatch(name, entry["file"]) for name in files)
        file = f"`{entry['file']}`" if is_there else "none: not executable here"
        rows.append([entry["cell"], file, entry["checked"] if is_there else "nothing", entry["not_claimed"]])
    about = (
        "People and organisation do not run. Files stand in for them, and no more is claimed than the file shows."
    )
    return f"{about}\n\n{table(['cell', 'file that stands in', 'what is checked', 'what is not claimed'], rows)}"


def ml_test_score(assessment: dict[str, Any]) -> str:
    """Return the page of the ML Test Score: per level what evidence gives, beside the first estimate."""
    scores = assessment["ml_test_score"]
    sections = [
        [
            section,
            *(
                f"{score['sections'][section]:g} ({score['estimate']['sections'][section]:g})"
                for score in scores.values()
            ),
        ]
        for section in SECTIONS.values()
    ]
    finals = [
        f"**{score['final']:g}** ({score['estimate']['final']:g}), {score['band']}" for score in scores.values()
    ]
    tests = []
    for test in read_tests():
        points = [f"{score['points'][test.id]:g}" for score in scores.values()]
        criteria = ", ".join(dict.fromkeys([*test.one, *test.half])) or "nothing yet"
        tests.append([test.id, test.title, *points, criteria])
    parts = [
        "# The ML Test Score",
        WRITTEN,
        ABOUT_THE_SCORE.strip(),
        table(["", *(f"level {number}" for number in scores)], [*sections, ["**score**", *finals]]),
        "## By test",
        table(["", "", *scores, "shown by"], tests),
    ]
    for number, score in scores.items():
        missing = "\n".join(f"- {test}" for test in score["missing"])
        parts += [f"## To the next point at level {number}", missing]
    return "\n\n".join(parts) + "\n"


def index(views: dict[str, Any]) -> str:
    """Return the list of pages."""
    links = [f"[{view['title']}]({FILES.get(name, name)}.md)" for name, view in views.items()]
    links += ["[The ML Test Score](ml_test_score.md)", "[All criteria in one table](../matrix.md)"]
    links += ["[Laws and standards](../governance.md)"]
    listed = "\n".join(f"- {link}" for link in links)
    unmapped = "\n".join(f"- **{entry['model']}.** {entry['why']}" for entry in _read_all()["unmapped"])
    parts = ["# The same findings, as each model tells them", WRITTEN, listed, "## Not mapped, and why", unmapped]
    return "\n\n".join(parts) + "\n"
