"""The environment of a training: packages in the versions of requirements.lock, or no training."""

import sys
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ..errors import RefusedError
from .params import LOCK


def installed() -> dict[str, str]:
    """Return the version of each installed package: of the first on the path, which is what imports find."""
    # Names of folders: reading all metadata would take a second.
    found = [path.stem.partition("-") for entry in sys.path for path in Path(entry).glob("*.dist-info")]
    return {canonicalize_name(name): version for name, _, version in reversed(found)}


def check_environment(lock: Path = LOCK) -> None:
    """Compare the installed packages with the lock; one that the lock does not name is left alone.

    Raises:
        RefusedError: naming each package that differs, with both versions.
    """
    lines = [Requirement(line.rstrip(" \\")) for line in lock.read_text().splitlines() if line[:1].isalnum()]
    locked = {
        str(canonicalize_name(line.name)): line for line in lines if not line.marker or line.marker.evaluate()
    }
    others = [
        f"{name} is {version} and not {str(locked[name].specifier).strip('=')}"
        for name, version in sorted(installed().items())
        if name in locked and not locked[name].specifier.contains(version, prereleases=True)
    ]
    if others:
        differ = ", ".join(others)
        raise RefusedError(f"nothing was trained, as {lock.name} has other packages: {differ}; try `make install`")
