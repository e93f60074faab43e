"""The champion that served last, kept beside its package: it serves when the registry is away or names none."""

import json
from pathlib import Path
from typing import Any

from ..config.files import write_text
from ..errors import StageError
from ..registry import certificate
from ..registry.artifact import Artifact, load

FILE = "champion.json"  # beside the packages
FACTS = "name", "version", "digest", "certificate", "seal"


def keep(folder: Path, facts: dict[str, str]) -> None:
    """Keep which package serves, with its certificate; only if it is another one than before."""
    if _read(folder) != facts:
        write_text(folder / FILE, json.dumps(facts))


def recall(folder: Path) -> tuple[dict[str, str], Artifact] | None:
    """Return the champion that served last, if its package and its certificate are still what they were."""
    kept = _read(folder)
    if kept is None:
        return None
    try:
        certificate.check(kept["certificate"], kept["seal"], kept["digest"])
        return kept, load(folder / kept["digest"], kept["digest"])
    except (StageError, OSError, ValueError):
        return None


def name(folder: Path) -> str | None:
    """Return the name of the champion that served last, if one has."""
    kept = _read(folder)
    return kept["name"] if kept else None


def _read(folder: Path) -> dict[str, str] | None:
    try:
        kept: Any = json.loads((folder / FILE).read_text())
    except (OSError, ValueError):
        return None
    return kept if isinstance(kept, dict) and set(kept) == set(FACTS) else None
