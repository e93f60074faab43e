"""What a teacher prints and projects: a sheet of paper for each level, slides for each step (docs/teaching).

Both are made from the same Markdown as the lessons: the README of a level, the tour of a step.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader
from markdown_it import MarkdownIt
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from ..base import ROOT
from . import evidence
from .lessons import Lesson
from .manifest import number, read_rooms
from .picture import BEGIN, states

FOLDER = Path("docs", "teaching")
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")), autoescape=True, keep_trailing_newline=True
)
FIGURES = [
    "log loss of the calm year",
    "human steps",
    "models released",
    "lines of code",
    "packages",
    "processes",
    "memory, MB",
]
FORMAT = HtmlFormatter(nowrap=True, style="friendly")
HIGH, WIDE = 17, 98  # lines and columns of code on a slide in letters of the usual size
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")  # leads nowhere from paper, nor from a slide
AFTER_A_BLOCK = re.compile(r"(?<=\n```)\n|(?<=\|)\n\n")  # of code, or a table
PICTURE = re.compile(r"```mermaid\n.*?```\n", re.DOTALL)


def documents(steps: Mapping[str, list[Lesson]], root: Path = ROOT) -> dict[Path, str]:
    """Return sheets, and slides of the lessons of each step, by path."""
    folders = [path.parent for path in sorted(root.glob("level[0-9]_*/HUMAN_STEPS.yaml"))]
    pages = {FOLDER / f"level{number(level.name)}.html": sheet(level, root) for level in folders}
    for name, lessons in steps.items():
        pages[FOLDER / f"step{name}.html"] = slides(lessons, root)
    return pages


def sheet(level: Path, root: Path = ROOT) -> str:
    """Return the sheet of a level, one page of A4."""
    readme, this = (level / "README.md").read_text(), int(number(level.name))
    found, purposes = states(level, root), read_rooms(root)
    compared = [each for each in (this - 1, this) if each >= 0]
    return TEMPLATES.get_template("sheet.html").render(
        title=readme.partition("\n")[0].removeprefix("# "),
        problem=_html(_part(readme, "The problem")),
        new=_html(_part(readme, "What is new", "What is here")),
        missing=_html(_part(readme, "What is still missing")),
        commands="\n".join(re.findall(r"```sh\n(.*?)\n```", readme, re.DOTALL)),
        rooms=[(room, found[room], purpose) for room, purpose in purposes.items()],
        steps=yaml.safe_load((level / "HUMAN_STEPS.yaml").read_text())["steps"],
        compared=compared,
        figures=_figures(compared, root),
    )


def _part(readme: str, *names: str) -> str:
    """Return what a README says below the first of these bold words that it has, up to the next ones."""
    for name in names:
        if f"**{name}.**" in readme:
            text = readme.partition(f"**{name}.**")[2]
            return LINK.sub(r"\1", re.split(rf"\n\n\*\*|\n{BEGIN}|\n```", text)[0])
    return ""


def slides(lessons: list[Lesson], root: Path = ROOT) -> str:
    """Return the slides of a step: both levels at a glance, the tour, and a question from each chapter."""
    tour, chapters = lessons[0], lessons[1:]
    both = [(number(name), root / name) for name in (tour.step.below, tour.step.above)]
    asked = [
        (each.title.partition(":")[0], re.search(r"<summary>(.*?)</summary>", each.prose)) for each in chapters
    ]
    return TEMPLATES.get_template("slides.html").render(
        title=tour.title,
        levels=[(level, states(folder, root).items()) for level, folder in both],
        figures=_figures([int(level) for level, _ in both], root),
        changed=len(evidence.changed(both[0][0], both[1][0], root)),
        slides=list(_slides(tour.text)),
        questions=[(chapter, question[1]) for chapter, question in asked if question],
        code_style=FORMAT.get_style_defs("pre"),
    )


def _slides(text: str) -> Iterator[str]:
    """Yield each part of a tour; where it is too long for a slide, a slide for each of its blocks."""
    for part in LINK.sub(r"\1", PICTURE.sub("", text)).split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        pieces = AFTER_A_BLOCK.split(body) if body.count("\n") > HIGH else [body]
        for shown in filter(None, (piece.strip() for piece in pieces)):
            yield f"<h2>{title}</h2>\n{_html(shown)}"


def _html(text: str) -> str:
    return str(MarkdownIt(options_update={"highlight": _highlighted}).enable("table").render(text))


def _highlighted(code: str, language: str, _: Any) -> str:
    try:
        lexer = get_lexer_by_name(language)
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    code = dedent(code)
    lines = code.splitlines()
    size = min(1.0, HIGH / len(lines), WIDE / max(map(len, lines)))
    return f'<pre style="font-size: {size:.2f}em">{highlight(code, lexer, FORMAT)}</pre>'


def _figures(compared: list[int], root: Path) -> list[tuple[str, list[str]]]:
    """Return the rows of the scoreboard for some levels, with people; without them is another lesson."""
    rows = evidence.rows(root / evidence.SCOREBOARD)
    return [(row, [rows[row][level].partition(" / ")[0] for level in compared]) for row in FIGURES]
