"""The navigation of the site, in two ways: by level, and by who reads."""

from pathlib import Path
from typing import Any

from ..base import ROOT, levels
from ..levels.diffs import FOLDER as DIFFS
from ..levels.lessons import PAGES as STEPS
from ..levels.teaching import FOLDER as TEACHING


def navigation(root: Path = ROOT) -> list[dict[str, Any]]:
    """Return the sections and their pages, as the generator takes them."""
    return [
        {"Start": "README.md"},
        {"Your own project": "docs/own.md"},
        {"Levels": [{f"Level {number}": _level(number, root)} for number in levels()]},
        {"ML engineers": [{"The year": "docs/scoreboard.md"}, {"Decisions": "docs/decisions.md"}]},
        {
            "Platform teams": [
                {"Containers": "docs/containers.md"},
                {"Scale": "docs/scale.md"},
                {"Fan out": "docs/fanout.md"},
                {"Kubernetes": "docs/kubernetes.md"},
                {"Speed": "docs/speed.md"},
                {"Replicas": "docs/replicas.md"},
                {"Endurance": "docs/endurance.md"},
                {"First start": "docs/start.md"},
            ]
        },
        {"Teachers": _teachers(root)},
        {
            "Everyone": [
                {"Where are you?": "docs/where.html"},
                {"The matrix": "docs/matrix.md"},
                {"The models": _folder("docs/models", root)},
                {"Governance": "docs/governance.md"},
                {"Evidence": _folder("docs/evidence", root)},
            ]
        },
        {
            "Contributors": [
                {"Architecture": "docs/architecture.md"},
                {"How this is built": "docs/house.md"},
                {"Contributing": "CONTRIBUTING.md"},
                {"Changes": "CHANGELOG.md"},
            ]
        },
    ]


def _level(number: int, root: Path) -> list[Any]:
    """Return the README of a level and the step that leads to it: its tour, its chapters, all of its changes."""
    name = f"{number - 1}-{number}"
    readme = f"{levels()[number]}/README.md"
    if not (root / STEPS / name).exists():
        return [readme]
    tour, *chapters = sorted((root / STEPS / name).glob("*.md"), key=lambda path: (path.stem != "README", path))
    step = [{"Tour": _path(tour, root)}, *({_title(path): _path(path, root)} for path in chapters)]
    return [readme, *step, {"All changes": str(DIFFS / f"{name}.md")}]


def _teachers(root: Path) -> list[Any]:
    sheets, slides = (sorted((root / TEACHING).glob(f"{kind}*.html")) for kind in ("level", "step"))
    return [
        {"Workshop": "docs/workshop.md"},
        {"Exercises": "docs/lessons/exercises.yaml"},
        {"Slides": [{f"Step {path.stem[4:].replace('-', ' to ')}": _path(path, root)} for path in slides]},
        {"Sheets": [{f"Level {path.stem[5:]}": _path(path, root)} for path in sheets]},
    ]


def _folder(name: str, root: Path) -> list[Any]:
    pages = sorted((root / name).glob("*.md"), key=lambda path: (path.stem != "README", path))
    return [_path(path, root) if path.stem == "README" else {_title(path): _path(path, root)} for path in pages]


def _title(page: Path) -> str:
    """Return the heading of a page, as far as its first colon."""
    return page.read_text().partition("\n")[0].removeprefix("# ").partition(":")[0]


def _path(page: Path, root: Path) -> str:
    return str(page.relative_to(root))
