"""The empty databases of a stage's servers: made once by the servers' own commands, then copied to each new stage.

A server that finds no database takes an empty one through every migration of its history, which takes seconds.
"""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from ..base import ROOT, WORKSPACES, StageError
from .process import last_line, run

KEPT = WORKSPACES / "cache" / "databases"  # in the one folder that a user of another's checkout can write to


def make_databases(commands: Sequence[str], workspace: Path, environment: Mapping[str, str]) -> None:
    """Make the databases in an empty workspace, or copy those that these versions of the servers made before.

    Args:
        commands: what makes them, below ${STAGE}.
        workspace: of the stage.
        environment: of the stage; it names the workspace as STAGE.

    Raises:
        StageError: a command failed.
    """
    made_by = "\n".join([*commands, (ROOT / "requirements.lock").read_text()])
    kept = KEPT / hashlib.sha256(made_by.encode()).hexdigest()[:12]
    if kept.exists():
        shutil.copytree(kept, workspace, dirs_exist_ok=True)
        return
    print("making the databases of the servers (once)", flush=True)
    for command in commands:
        done = run(["bash", "-c", command], ROOT, environment)
        if done.returncode:
            raise StageError(f"`{command}` failed: {last_line(done)}")
    KEPT.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=KEPT) as part, suppress(OSError):  # another stage may have been quicker
        shutil.copytree(workspace, part, dirs_exist_ok=True)
        Path(part).rename(kept)
