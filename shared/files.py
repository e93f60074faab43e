"""Texts that are written whole or not at all."""

from pathlib import Path


def write_text(path: Path, text: str) -> None:
    """Write under a temporary name, then rename: a reader never sees half a text."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.replace(path)
