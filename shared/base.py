"""What every room here stands on: where things are, errors that say what to do, files written whole, and git."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORKSPACES = ROOT / ".stage"


class StageError(Exception):
    """A stage cannot start, does not answer, or a step in it failed; the message says what to do."""


def levels() -> dict[int, str]:
    """Return the levels by number, as their folders are named."""
    return {int(path.parent.name[5]): path.parent.name for path in sorted(ROOT.glob("level[0-9]_*/stage.yaml"))}


def write_text(path: Path, text: str) -> None:
    """Write under a temporary name, then rename: a reader never sees half a text."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)


def git(root: Path, *arguments: str, stdin: str = "", **environment: str) -> str:
    """Run git in `root` and return what it prints.

    Raises:
        StageError: it failed.
    """
    command, variables = ["git", "-C", str(root), *arguments], os.environ | environment
    done = subprocess.run(command, input=stdin, env=variables, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise StageError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout
