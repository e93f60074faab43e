"""The same findings as each model tells them, one page per model, in docs/models."""

from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

from ...base import ROOT, git, write_text
from ..criteria.criteria import GIGAOM, HERE, Answer, Criterion, read_criteria
from ..criteria.score import SECTIONS, read_tests
from .matrix import WORDS, numbers_of

PAGES = ROOT / "docs" / "models"
FILES = {"readme": "five_levels"}  # README.md is the list of pages, and some disks take both names for one
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
    pages = {
        FILES.get(name, name): page(name, view, assessment) for name, view in views.items() if name != "stand_ins"
    }
    pages |= {"ml_test_score": ml_test_score(assessment), "README": index(views)}
    PAGES.mkdir(exist_ok=True)
    for name, text in pages.items():
        write_text(PAGES / f"{name}.md", text)
    return [PAGES / f"{name}.md" for name in pages]


def read_views() -> dict[str, Any]:
    """Return how each model is laid out."""
    return dict(yaml.safe_load((HERE / "views.yaml").read_text()))


def page(name: str, view: dict[str, Any], assessment: dict[str, Any]) -> str:
    """Return one model's page."""
    own = f"[the model's own]({view['url']})" if "url" in view else "the model's own"
    lines = [f"# {view['title']}", "", f"{WRITTEN} All sentences are ours, not {own}.", ""]
    if name == "gigaom":
        lines += _gigaom(assessment)
    for key, title in view["keys"].items():
        lines += [f"## {title}", "", *_level(view, key, assessment), ""]
    if name == "microsoft":
        lines += ["## What cannot be run", "", *_stand_ins()]
    return "\n".join([*lines, *_disagreements(name)]).rstrip() + "\n"


def _level(view: dict[str, Any], key: str, assessment: dict[str, Any]) -> list[str]:
    """Return a level of a model as a table: its criteria, by column where it has columns, and our five levels."""
    lines = []
    columns = view.get("columns", {"": ""})
    for letter, column in columns.items():
        source = f"{view['prefix']}-{key}{f'.{letter}' if letter else ''}"
        found = [each for each in read_criteria().values() if {source, f"{source}*"} & set(each.sources)]
        for each in found:
            added = " (added in 2025)" if f"{source}*" in each.sources else ""
            lines.append(_row([f"{column}{added}"] if column else [], each, assessment))
    if not lines:
        return [view.get("unseen", {}).get(key, "Nothing that a running level could show is asked for here.")]
    head = ["", "", "", *numbers_of(assessment)] if view.get("columns") else ["", "", *numbers_of(assessment)]
    return [*_head(head), *lines]


def _head(columns: list[str]) -> list[str]:
    return [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]


def _row(first: list[str], criterion: Criterion, assessment: dict[str, Any]) -> str:
    row: dict[str, Any] = next(
        (each for each in assessment["criteria"] if each["id"] == criterion.id), {"answers": {}}
    )
    cells = [_cell(criterion, row, number) for number in numbers_of(assessment)]
    return f"| {' | '.join([*first, criterion.id, criterion.says, *cells])} |"


def _cell(criterion: Criterion, row: dict[str, Any], number: str) -> str:
    answer = row["answers"].get(number)
    return f"[{WORDS[Answer(answer)]}](../evidence/level{number}.md#{criterion.id.lower()})" if answer else ""


def _gigaom(assessment: dict[str, Any]) -> list[str]:
    """Return the criteria by the name of the category they are nearest to."""
    lines = [ABOUT_GIGAOM]
    for category in GIGAOM:
        rows = [_row([], each, assessment) for each in read_criteria().values() if each.gigaom == category]
        lines += [f"## {category.capitalize()}", "", *_head(["", "", *numbers_of(assessment)]), *rows, ""]
    return lines


def _disagreements(name: str) -> list[str]:
    entries = [
        each for each in yaml.safe_load((HERE / "disagreements.yaml").read_text()) if name in each["models"]
    ]
    lines = [
        f"- **{each['about'][0].upper()}{each['about'][1:]}.** {each['says']} Here: {each['settled']}"
        for each in entries
    ]
    return ["", "## Where models disagree", "", *lines] if lines else []


def _stand_ins() -> list[str]:
    """Return what stands in for people and organisation, and whether its file is there."""
    files = git(ROOT, "ls-files", "-z").split("\0")
    lines = [
        "People and organisation do not run. Files stand in for them, and no more is claimed than the file shows.",
        "",
        "| cell | file that stands in | what is checked | what is not claimed |",
        "|---|---|---|---|",
    ]
    for each in read_views()["stand_ins"]:
        there = [name for name in files if fnmatch(name, each["file"])]
        shown = f"`{each['file']}`" if there else "none: not executable here"
        checked = each["checked"] if there else "nothing"
        lines.append(f"| {each['cell']} | {shown} | {checked} | {each['not_claimed']} |")
    return lines


def ml_test_score(assessment: dict[str, Any]) -> str:
    """Return the page of the ML Test Score: per level what evidence gives, beside the first estimate."""
    found = assessment["ml_test_score"]
    lines = ["# The ML Test Score", "", WRITTEN, "", ABOUT_THE_SCORE]
    lines += _head(["", *(f"level {number}" for number in found)])
    for section in SECTIONS.values():
        cells = [
            f"{each['sections'][section]:g} ({each['estimate']['sections'][section]:g})" for each in found.values()
        ]
        lines.append(f"| {section} | {' | '.join(cells)} |")
    finals = [f"**{each['final']:g}** ({each['estimate']['final']:g}), {each['band']}" for each in found.values()]
    lines += [f"| **score** | {' | '.join(finals)} |", "", "## By test", ""]
    lines += _head(["", "", *found, "shown by"])
    for test in read_tests():
        points = [f"{each['points'][test.id]:g}" for each in found.values()]
        shown = ", ".join(dict.fromkeys([*test.one, *test.half])) or "nothing yet"
        lines.append(f"| {test.id} | {test.title} | {' | '.join(points)} | {shown} |")
    for number, each in found.items():
        lines += ["", f"## To the next point at level {number}", "", *(f"- {one}" for one in each["missing"])]
    return "\n".join(lines) + "\n"


def index(views: dict[str, Any]) -> str:
    """Return the list of pages."""
    lines = ["# The same findings, as each model tells them", "", WRITTEN, ""]
    lines += [
        f"- [{view['title']}]({FILES.get(name, name)}.md)" for name, view in views.items() if name != "stand_ins"
    ]
    lines += ["- [The ML Test Score](ml_test_score.md)", "- [All criteria in one table](../matrix.md)"]
    return "\n".join(lines) + "\n"
