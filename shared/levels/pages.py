"""All pages that are written from the levels, and whether the committed ones are what the levels give today."""

from pathlib import Path

from ..base import ROOT, write_text
from . import diffs, front, lessons, picture, teaching


def generated(root: Path = ROOT) -> dict[Path, str]:
    """Return all that is written from the levels, by path: diffs, lessons, sheets, slides, pictures in READMEs."""
    steps = lessons.read_lessons(root)
    pages = diffs.documents(root) | lessons.documents(steps) | picture.documents(root)
    if front.README in pages:
        pages[front.README] = front.filled(pages[front.README], steps, root)
    return pages | teaching.documents(steps, root)


def write(root: Path = ROOT) -> list[Path]:
    """Write what is written from the levels; return the paths."""
    pages = generated(root)
    for path, page in pages.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        write_text(root / path, page)
    return list(pages)


def stale(root: Path = ROOT) -> list[str]:
    """Return which committed pages are not what the levels give today."""
    return [
        f"{path} is not what the levels give today: run `make diffs`"
        for path, page in generated(root).items()
        if not (root / path).exists() or (root / path).read_text() != page
    ]
