"""Where the state is: in the folder of the stage, or where the environment says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ...config import paths

ROOT = Path(__file__).resolve().parents[3]


def path_of(name: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-c", f"from {paths.__name__} import {name}; print({name})"]
    without = {key: value for key, value in os.environ.items() if key not in ("PREDICTION_LOG", "SNAPSHOT_REMOTE")}
    return subprocess.run(
        command, cwd=ROOT, env=without | environment, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.mark.parametrize(
    ("variable", "name", "file", "elsewhere"),
    [
        ("PREDICTION_LOG", "PREDICTION_LOG", "predictions.db", "postgresql://user@host:5432/predictions"),
        ("SNAPSHOT_REMOTE", "REMOTE", "remote", "s3://bucket/snapshots"),
        ("SEAL_KEY", "SEAL_KEY", "seal.key", "/run/secrets/seal_key"),
    ],
)
def test_a_state_is_in_the_stage_unless_the_environment_names_another_place(
    variable: str, name: str, file: str, elsewhere: str
) -> None:
    assert path_of(name, {"STAGE": "stage"}) == f"stage/{file}"
    assert path_of(name, {"STAGE": "stage", variable: elsewhere}) == elsewhere
