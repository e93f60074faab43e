"""The parameters of the pipeline, and what else decides what a training gives."""

import hashlib
from pathlib import Path
from typing import Any

import yaml

PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"
LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"


def read_params() -> dict[str, Any]:
    """Return params.yaml."""
    params: dict[str, Any] = yaml.safe_load(PARAMS.read_text())
    return params


def lock_hash() -> str:
    """Return the SHA-256 of the lock that the environment was installed from."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()
