"""What the repository holds: text that people read and pictures that were drawn; nothing that was downloaded."""

from shared.base import git

from ..conftest import ROOT

LARGEST = 600_000  # bytes: of the lock
BINARY = {".png", ".gif"}


def tracked() -> list[str]:
    return git(ROOT, "ls-files", "-z").strip("\0").split("\0")


def test_no_file_is_larger_than_the_lock() -> None:
    large = [name for name in tracked() if (ROOT / name).exists() and (ROOT / name).stat().st_size > LARGEST]
    assert not large, f"too large for a repository, see .gitignore: {large}"


def test_what_is_no_text_is_a_picture() -> None:
    binary = [
        name
        for name in tracked()
        if (ROOT / name).suffix not in BINARY and (ROOT / name).exists() and b"\0" in (ROOT / name).read_bytes()
    ]
    assert not binary, f"no text, and no picture: {binary}"
