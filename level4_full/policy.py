"""The policy: the thresholds of every decision that nobody takes by hand."""

import hashlib
from pathlib import Path
from typing import Any

import yaml

POLICY = Path(__file__).with_name("policy.yaml")


def read_policy() -> dict[str, Any]:
    """Return policy.yaml."""
    policy: dict[str, Any] = yaml.safe_load(POLICY.read_text())
    return policy


def policy_hash() -> str:
    """Return the SHA-256 of the policy, which every decision cites."""
    return hashlib.sha256(POLICY.read_bytes()).hexdigest()
