"""Atomic file writes: a reader sees the old file or the new one, and never half of one."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

SECONDS_TO_WRITE = 3600.0  # nobody writes one file for longer


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary name beside `path`, which takes its place when the block ends without an error.

    Each writer has a name of its own, so two at once do not disturb each other, and readers never see half a file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _clean_up(path)
    part = path.with_name(f".{path.name}.{uuid4().hex}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _clean_up(path: Path) -> None:
    """Remove what killed writers left behind."""
    for part in path.parent.glob(f".{path.name}.*.part"):
        if part.lstat().st_mtime < time.time() - SECONDS_TO_WRITE:
            part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""
    with replacing(path) as part:
        part.write_text(text)
