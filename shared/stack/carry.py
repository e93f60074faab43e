"""Pack the project for machines without internet: its commits, its packages for this platform, and its images."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from ..base import ROOT, StageError, git, levels, replacing

CARRIED = "carried"  # the folder that the Makefile installs from, where it is there
IMAGES = "images.tar"
BASE_IMAGE = "python:3.11-slim"
BUILD = "setuptools", "wheel"  # two packages come as source


def pack(target: Path, root: Path = ROOT) -> None:
    """Write an archive with all that another machine of this platform needs: `make install` there installs it.

    Args:
        target: the archive, ending with .tar.
        root: the project; what is not committed stays here.

    Raises:
        StageError: a package cannot be had, or the target cannot be written.
    """
    if target.suffix != ".tar":
        raise StageError(f"{target} is no name of an archive: write it like TO=mlops-levels.tar")
    with TemporaryDirectory() as folder:
        project = Path(folder) / "mlops-levels"
        git(root, "clone", "--quiet", "--no-hardlinks", str(root), str(project))
        print("downloading the packages", flush=True)
        _download(project / "requirements.lock", project / CARRIED / "packages")
        if images := _images(root):
            print(f"saving {', '.join(images)}", flush=True)
            _run(["docker", "save", "--output", str(project / CARRIED / IMAGES), *images])
        else:
            print("no engine answers, or it has no image of this commit: packed without images", flush=True)
        print(f"writing {target}", flush=True)
        with replacing(target) as part, tarfile.open(part, "w") as archive:
            archive.add(project, project.name, filter=_of_nobody)
    print(
        f"{target}: {target.stat().st_size / 1e6:,.0f} MB. Where it is carried to:\n"
        f"  tar xf {target.name} && cd mlops-levels && make install"
    )


def _of_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who packed it: git reads no commit of another user's files."""
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def _download(lock: Path, packages: Path) -> None:
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(packages)]
    _run([*download, "--no-deps", "--require-hashes", "--requirement", str(lock)])
    _run([*download, *BUILD])


def _images(root: Path) -> list[str]:
    """Return the images that are there: what all others are built on, and those of the last commit."""
    if not shutil.which("docker"):
        return []
    shown = ["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"]
    known = subprocess.run(shown, capture_output=True, text=True, check=False).stdout.split()
    revision = git(root, "rev-parse", "--short=12", "HEAD").strip()
    ours = {f"{level}/{kind}:{revision}" for level in levels().values() for kind in ("app", "worker", "tests")}
    return sorted({BASE_IMAGE, *ours} & set(known))


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = [line for line in done.stderr.splitlines() if not line.startswith("WARNING")]
        raise StageError(f"`{' '.join(command[:4])}` failed: {' '.join(reason[-2:])}")
