"""Names of files and modules in strings and documents: each names something that is there."""

import re
from pathlib import Path

import pytest

from shared.base import git

from ..conftest import ROOT

KINDS = {".py", ".yaml", ".yml", ".conf", ".md", ".toml", ".html", ""}
GENERATED = (
    "docs/diffs/",
    "docs/evidence/",
    "docs/matrix.md",
    "docs/scoreboard.md",
    "requirements.lock",
    "template/",  # of a repository of its own
    "shared/new/overlay/",
    "shared/new/rules.yaml",
    "LICENSE",
)
ENDINGS = "py|json|yaml|yml|conf|md|ipynb|html|png|toml"
PATH = re.compile(rf"(?<![\w/$}}.*-])((?:[\w.-]+/)+[\w.-]+\.(?:{ENDINGS}))(?![\w/*])")
OWN_MODULE = re.compile(r"(?<![\w./])((?:shared|benchmarks)(?:\.\w+)+)")
LEVEL_MODULE = re.compile(
    r"(?:\{(?:\w+\.)*package\}|\$\{?LEVEL\}?|\{level\}|\{__package__\}|\['LEVEL'\]\})\.(\w+(?:\.\w+)*)"
)
LEVELS = sorted(ROOT.glob("level[0-9]_*"))
PLACES = [
    ROOT / "docs/models",
    ROOT,
    ROOT / "docs",
    ROOT / "shared",
    ROOT / "shared/assessment",
    *LEVELS,
    *(level / "tests" for level in LEVELS),
    *sorted((ROOT / "docs/lessons/exercises").glob("*/tests")),
]
# Made while a test or a stage runs.
MADE = re.compile(
    r"^\.stage/|^issues/|^package/package\.json$|/MODEL_CARD\.md$|"
    r"^(level\d_(desk|shop|plant|town)|house|box|shop|store|churn|tests/(store|test_))|"
    r"test_(month|local_time)\.py$"  # by who follows CONTRIBUTING.md
)


def names(path: Path) -> list[str]:
    """Return what a file names that is not there."""
    text = path.read_text().replace("LEVEL/", "")  # stands for any of them
    missing = [name for name in PATH.findall(text) if not MADE.search(name) and not is_file(path, name)]
    missing += [name for name in OWN_MODULE.findall(text) if not is_module(ROOT, name)]
    modules = [name for name in LEVEL_MODULE.findall(text) if name not in ENDINGS.split("|")]
    return missing + [
        name for name in modules if not any(is_module(root, name) for root in (*LEVELS, path.parent))
    ]


def is_file(beside: Path, name: str) -> bool:
    return any((place / name).exists() for place in (beside.parent, *PLACES))


def is_module(root: Path, name: str) -> bool:
    """Tell whether a dotted name is a module, or something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = root.joinpath(*parts[:length])
        if (path / "__init__.py").exists():
            return length == len(parts)
        if (module := path.with_suffix(".py")).exists():
            return all(re.search(rf"\b{part}\b", module.read_text()) for part in parts[length:])
    return False


def tracked() -> list[str]:
    listed = git(ROOT, "ls-files", "-z").split("\0")[:-1]
    return [name for name in listed if Path(name).suffix in KINDS and not name.startswith(GENERATED)]


@pytest.mark.parametrize("name", tracked())
def test_whatever_is_named_is_there(name: str) -> None:
    assert names(ROOT / name) == []


def test_what_is_not_there_is_found(tmp_path: Path) -> None:
    page, no = tmp_path / "page.md", "no"
    page.write_text(f"serving/app.py serving/{no}.py shared.world.dataset shared.world.{no} $LEVEL.{no}")
    assert names(page) == [f"serving/{no}.py", f"shared.world.{no}", no]
