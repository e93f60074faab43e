"""What every room here needs: paths, errors that name what to do, files written whole, and git."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[1]
WORKSPACES = ROOT / ".stage"


class StageError(Exception):
    """A stage cannot start, does not answer, or a step in it failed; the message says what to do."""


def levels() -> dict[int, str]:
    """Return the levels by number, as their folders are named."""
    return {int(path.parent.name[5]): path.parent.name for path in sorted(ROOT.glob("level[0-9]_*/stage.yaml"))}


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`, which takes its place if the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""
    with replacing(path) as part:
        part.write_text(text)


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
