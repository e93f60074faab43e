"""Release the application: unpack a commit, switch to it, and go back if it does not come up."""

import fcntl
import http.client
import io
import json
import os
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from ..errors import StageError

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = PACKAGE.parent
SECONDS_TO_COME_UP = 30.0
CONTAINERS = os.environ.get("ENGINE") == "docker"  # or processes of this machine


class DeployError(StageError):
    """The release did not come up; the one before it is back."""


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


def current_release(app: Path) -> Path:
    """Return the folder the application runs from: the released one, or this checkout before any release."""
    link = app / "current"
    return link.resolve() if link.exists() else ROOT


def deploy(revision: str, app: Path) -> str:
    """Put the committed code of `revision` into service; return its commit.

    Raises:
        DeployError: there is no such commit, or it did not answer in time; the code before it is in service.
    """
    commit = _resolve(revision)
    with alone(app):
        if CONTAINERS:
            from . import containers

            return containers.deploy(commit)
        before, needs_model = current_release(app), bool(said().get("model"))
        restarted = _switch(app, _unpack(commit, app / "releases"))
        if not (restarted and comes_up(commit, needs_model)):
            _switch(app, before)
            raise DeployError(f"{commit} did not come up within {SECONDS_TO_COME_UP:.0f} s: back to {before.name}")
        return commit


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Let one at a time work in a folder; who waits goes on when the one before ends or dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _resolve(revision: str) -> str:
    try:
        return _git("rev-parse", "--verify", "--short=12", f"{revision}^{{commit}}").decode().strip()
    except subprocess.CalledProcessError as error:
        raise DeployError(f"there is no commit {revision!r}: name one that `git log` shows") from error


def _unpack(commit: str, releases: Path) -> Path:
    release = releases / commit
    if not release.exists():
        part = release.with_suffix(".part")
        with tarfile.open(fileobj=archive(commit, PACKAGE.name)) as tar:
            tar.extractall(part, filter="data")
        (part / "COMMIT").write_text(commit)
        part.rename(release)
    return release


def archive(commit: str, *names: str) -> io.BytesIO:
    """Return files and folders as they were committed, as a tar."""
    try:
        return io.BytesIO(_git("-c", "tar.umask=0022", "archive", commit, *names))
    except subprocess.CalledProcessError as error:
        raise DeployError(f"{commit} holds no {' or '.join(names)}: name a commit that does") from error


def _switch(app: Path, release: Path) -> bool:
    part = app / "current.part"
    part.unlink(missing_ok=True)
    part.symlink_to(release)
    part.replace(app / "current")
    return restart()


def restart() -> bool:
    """Restart the application; tell whether it stayed up for its first second."""
    if CONTAINERS:
        from . import containers

        return containers.restart()
    command = ["supervisorctl", "-c", str(PACKAGE / "supervisord.conf"), "restart", "app"]
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0


def comes_up(commit: str, needs_model: bool = False) -> bool:
    """Wait until the application says that it runs `commit`, and has a model if it needs one; tell if in time."""
    deadline = time.monotonic() + SECONDS_TO_COME_UP
    while time.monotonic() < deadline:
        now = said()
        if now.get("application") == commit and (now.get("model") or not needs_model):
            return True
        time.sleep(0.1)
    return False


def said() -> dict[str, Any]:
    """Return what the application says about itself, or nothing: no answer yet, or none that is JSON."""
    url = f"http://127.0.0.1:{os.environ['PORT']}/version"
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            now = json.load(answer)
    except (OSError, ValueError, http.client.HTTPException):
        return {}
    return now if isinstance(now, dict) else {}


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True).stdout
