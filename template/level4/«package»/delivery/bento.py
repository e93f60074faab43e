"""The Bento: service and package as one artifact, which serves without a registry, a stage or training code."""

import os
import shutil
import subprocess
import tempfile
from importlib.metadata import version as installed
from pathlib import Path

import yaml

from ..config.params import LOCK
from ..config.problem import NAME
from ..config.version import PACKAGE, application_version
from ..errors import StageError
from ..registry.artifact import DESCRIPTION, MODEL

REQUIREMENTS = [
    "bentoml",
    "fastapi",
    "httptools",
    "httpx",
    "numpy",
    "onnxruntime",
    "prometheus-fastapi-instrumentator",
    "uvicorn",
    "uvloop",
]


class BentoError(StageError):
    """The Bento could not be built."""


def build_bento(package: Path, digest: str) -> str:
    """Build a Bento named by the digest of a package, unless it exists already; return its tag.

    It is built in the serving environment, so that it cannot depend on anything else.

    Raises:
        BentoError: with the reason.
    """
    tag = f"{NAME}:{digest[:12]}"
    if Path(os.environ["BENTOML_HOME"], "bentos", NAME, digest[:12]).exists():
        return tag
    temporary = Path(tempfile.gettempdir()).resolve()
    if any(part.startswith(".") for part in temporary.parts):
        raise BentoError(f"BentoML builds nothing in a hidden folder: let TMPDIR be another one than {temporary}")
    with tempfile.TemporaryDirectory() as folder:
        _lay_out(package, Path(folder))
        done = subprocess.run(
            [os.environ["SERVING"], "-m", "bentoml", "build", "--version", digest[:12], "--output", "tag", "."],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": folder},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        reason = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()[-1]
        raise BentoError(f"the Bento {tag} could not be built: {reason[:300]}")
    return tag


def _lay_out(package: Path, folder: Path) -> None:
    """Write the content of a Bento: this code, the package beside it, and the packages needed to serve."""
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=shutil.ignore_patterns("tests", "__pycache__", ".*"))
    (folder / "package").mkdir()
    for name in (MODEL, DESCRIPTION):
        shutil.copy(package / name, folder / "package" / name)
    shutil.copy(LOCK, folder)
    (folder / "COMMIT").write_text(f"{application_version()}\n")
    description = {
        "name": NAME,
        "service": f"{PACKAGE.name}.serving.service:Service",
        "include": ["*"],
        "python": {
            "packages": [f"{name}=={installed(name)}" for name in REQUIREMENTS],
            "lock_packages": False,  # the lock of this project lies beside them
        },
    }
    (folder / "bentofile.yaml").write_text(yaml.safe_dump(description))
