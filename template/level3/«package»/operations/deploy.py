"""Release the application: unpack a commit, switch to it, and roll back if it does not come up."""

from pathlib import Path

from ..config import paths, version
from ..config.files import replacing
from .lock import exclusive_lock
from .processes import (
    SECONDS_TO_COME_UP,
    DeployError,
    ask_version,
    check_manager,
    comes_up,
    process_id,
    supervisorctl,
)

RELEASED = "released:*"  # the programs that run released code, a group in supervisord.conf


def deploy(revision: str) -> str:
    """Release the committed code of `revision`; return its commit.

    Raises:
        NoCommitError: there is no such commit.
        DeployError: it did not answer in time; the previous release is back in service.
    """
    commit = version.resolve(revision)
    check_manager()
    with exclusive_lock(paths.APP):
        before, needs_model = current_release(), bool(ask_version().get("model"))
        restarted = _switch(_unpack(commit))
        if not (restarted and comes_up(commit, needs_model, process_id("released:app"))):
            _switch(before)
            raise DeployError(f"{commit} did not come up within {SECONDS_TO_COME_UP:.0f} s: back to {before.name}")
    return commit


def current_release() -> Path:
    """Return the folder the application runs from: the released one, or this checkout before any release."""
    link = paths.APP / "current"
    return link.resolve() if link.exists() else version.ROOT


def restart() -> bool:
    """Restart what runs released code; tell whether it stayed up for its first second."""
    return supervisorctl("restart", RELEASED).returncode == 0


def _unpack(commit: str) -> Path:
    release = paths.APP / "releases" / commit
    if not release.exists():
        part = release.with_suffix(".part")
        version.unpack(commit, part, version.PACKAGE.name, "requirements.lock")
        (part / "COMMIT").write_text(commit)
        part.rename(release)
    return release


def _switch(release: Path) -> bool:
    with replacing(paths.APP / "current") as part:
        part.symlink_to(release)
    return restart()
