"""Which code this is, and the code of any commit."""

import hashlib
import subprocess
from functools import cache
from pathlib import Path

from ..errors import StageError

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parent


class NoCommitError(StageError):
    """There is no such commit, or it lacks what is asked for."""


@cache
def application_version() -> str:
    """Return the commit this code was unpacked from, or else the one of the checkout it stands in."""
    unpacked = ROOT / "COMMIT"
    if unpacked.exists():
        return unpacked.read_text().strip()
    try:
        return _git("describe", "--always", "--abbrev=12", "--exclude=*", "--dirty").decode().strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


@cache
def code_hash(package: Path = PACKAGE) -> str:
    """Return a hash of the source files of a package, by name and content; its tests do not count."""
    names = [path.relative_to(package) for path in package.rglob("*.py")]
    digest = hashlib.sha256()
    for name in sorted(name for name in names if "tests" not in name.parts):
        digest.update(f"{name.as_posix()}\n".encode() + hashlib.sha256((package / name).read_bytes()).digest())
    return digest.hexdigest()[:12]


def resolve(revision: str) -> str:
    """Return the commit that a branch, a tag or another name of it stands for.

    Raises:
        NoCommitError: it stands for none, or git does not trust the checkout.
    """
    try:
        return _git("rev-parse", "--verify", "--short=12", f"{revision}^{{commit}}").decode().strip()
    except subprocess.CalledProcessError as error:
        if b"safe.directory" in error.stderr:
            trust = f"git config --global --add safe.directory {ROOT}"
            raise NoCommitError(f"git reads no commit of another user's checkout, unless you `{trust}`") from error
        raise NoCommitError(f"there is no commit {revision!r}: name one that `git log` shows") from error


def unpack(commit: str, folder: Path, *names: str) -> None:
    """Write files and folders into a folder, as they were committed.

    Raises:
        NoCommitError: the commit does not hold them.
    """
    try:
        packed = _git("-c", "tar.umask=0022", "archive", commit, *names)
    except subprocess.CalledProcessError as error:
        raise NoCommitError(f"{commit} holds no {' or '.join(names)}: name a commit that does") from error
    folder.mkdir(parents=True, exist_ok=True)
    # Not Python's own: it takes no filter before 3.11.4, and wants one from 3.12 on.
    subprocess.run(["tar", "-x", "-f", "-", "-C", str(folder)], input=packed, check=True)


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True).stdout
