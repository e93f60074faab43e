"""Empty databases are made once, and every other stage gets a copy."""

import os
from pathlib import Path

import pytest

from shared.base import StageError
from shared.stack import databases
from shared.stack.databases import make_databases


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(databases, "KEPT", tmp_path / "kept")
    return tmp_path / "kept"


def make(stage: Path, *commands: str) -> None:
    stage.mkdir()
    make_databases(commands, stage, os.environ | {"STAGE": str(stage)})


def test_the_next_stage_gets_a_copy_that_no_command_has_made_anew(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    command = f"mkdir $STAGE/server && echo empty > $STAGE/server/db && echo run >> {runs}"
    make(tmp_path / "first", command)
    (tmp_path / "first" / "server" / "db").write_text("used")
    make(tmp_path / "second", command)
    assert (tmp_path / "second" / "server" / "db").read_text() == "empty\n"
    assert runs.read_text() == "run\n"


def test_other_commands_make_other_databases(tmp_path: Path) -> None:
    make(tmp_path / "first", "echo old > $STAGE/db")
    make(tmp_path / "second", "echo new > $STAGE/db")
    assert (tmp_path / "second" / "db").read_text() == "new\n"


def test_other_versions_of_the_servers_make_other_databases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = f"echo run >> {tmp_path / 'runs'}"
    make(tmp_path / "first", command)
    monkeypatch.setattr(databases, "ROOT", tmp_path)
    (tmp_path / "requirements.lock").write_text("mlflow==99")
    make(tmp_path / "second", command)
    assert (tmp_path / "runs").read_text() == "run\n" * 2


def test_a_command_that_fails_is_named_and_nothing_is_kept(tmp_path: Path, kept: Path) -> None:
    with pytest.raises(StageError, match=r"echo no such schema.*failed: no such schema"):
        make(tmp_path / "stage", "touch $STAGE/db", "echo no such schema; exit 1")
    assert not kept.exists()
