"""The lock of one level: the lines of ours that its packages need, found by who needs whom."""

import re
import tomllib
from pathlib import Path

from packaging.utils import canonicalize_name

from ..base import ROOT
from .render import PLACEHOLDERS, render

OVERLAY = Path(__file__).parent / "overlay" / "root"
ENTRY = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==.*?(?=^[A-Za-z0-9._-]+==|\Z)", re.MULTILINE | re.DOTALL)
HEADER = "# Made from the lock that this project started from; `make lock` compiles it again.\n"


def of_level(number: int) -> str:
    """Return the lock of a project that starts from a level: exact versions, with hashes."""
    return HEADER + part_for(_direct(number))


def part_for(direct: set[str]) -> str:
    """Return the part of our lock that these packages need."""
    text = (ROOT / "requirements.lock").read_text()
    entries: dict[str, str] = {}
    for entry in ENTRY.finditer(text):  # a package may have several, each for some versions of Python
        name = canonicalize_name(entry["name"])
        entries[name] = entries.get(name, "") + entry[0]
    return "".join(_without_comments(entries[name]) for name in sorted(_closure(entries, direct)))


def _direct(number: int) -> set[str]:
    """Return the packages that the new repository names itself."""
    project = render((OVERLAY / "pyproject.toml").read_text(), PLACEHOLDERS | {"level": number})
    entries = [entry for group in tomllib.loads(project)["dependency-groups"].values() for entry in group]
    return {
        canonicalize_name(re.split(r"[^A-Za-z0-9._-]", entry)[0]) for entry in entries if isinstance(entry, str)
    }


def _closure(entries: dict[str, str], direct: set[str]) -> set[str]:
    """Return these packages and all that they need: an entry names in `# via` who needs it."""
    needed_by = {
        name: {canonicalize_name(via) for via in re.findall(r"^    # +(?:via +)?(\S+)$", entry, re.MULTILINE)}
        for name, entry in entries.items()
    }
    needed = direct & entries.keys()
    while more := {name for name, parents in needed_by.items() if name not in needed and parents & needed}:
        needed |= more
    return needed


def _without_comments(entry: str) -> str:
    return "".join(line for line in entry.splitlines(keepends=True) if not line.lstrip().startswith("#"))
