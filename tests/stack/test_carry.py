"""What is packed for machines without internet is enough to install from there."""

import os
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

from shared.base import StageError
from shared.stack.carry import pack

from ..conftest import ROOT

FEW = "uv", "six", "antlr4-python3-runtime"  # the last one comes as source
CLOSED = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
MINIMAL = """[project]
name = "small"
version = "0"
requires-python = ">=3.11"
[dependency-groups]
level0 = ["six", "antlr4-python3-runtime"]
"""


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Make a project with the same installer and few packages."""
    project = tmp_path / "small"
    project.mkdir()
    shutil.copy(ROOT / "Makefile", project)
    (project / "pyproject.toml").write_text(MINIMAL)
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements.lock").read_text())
    few = [entry for entry in entries if entry.startswith(tuple(f"{name}==" for name in FEW))]
    assert len(few) == len(FEW)
    (project / "requirements.lock").write_text("\n".join(few) + "\n")
    git(project, "init", "--quiet")
    git(project, "add", ".")
    git(project, "commit", "--message", "all")
    return project


@pytest.mark.slow
def test_it_installs_where_there_is_no_internet(small: Path, tmp_path: Path) -> None:
    pack(tmp_path / "packed.tar", small)
    with tarfile.open(tmp_path / "packed.tar") as archive:
        archive.extractall(tmp_path / "there", filter="tar")
    there = tmp_path / "there" / "mlops-levels"
    without = ("UV_", "PIP_", "SSL_", "MAKE", "MFLAGS")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(without)} | CLOSED
    command = ["make", ".venv/.level0-installed"]
    done = subprocess.run(command, cwd=there, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    subprocess.run([there / ".venv/bin/python", "-c", "import six, antlr4"], check=True)
    log = subprocess.run(["git", "-C", there, "log", "--format=%s"], capture_output=True, text=True, check=True)
    assert log.stdout == "all\n"


def test_a_target_that_is_no_archive_is_named(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"write it like TO=mlops-levels.tar"):
        pack(tmp_path / "stick")
