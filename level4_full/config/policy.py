"""The policy: what makes the machine train, promote, hold or take back, where the levels below had constants."""

import hashlib
from pathlib import Path
from typing import Any

import yaml

POLICY = Path(__file__).resolve().parents[1] / "policy.yaml"


def read_policy() -> dict[str, Any]:
    """Return policy.yaml."""
    policy: dict[str, Any] = yaml.safe_load(POLICY.read_text())
    return policy


def days_back(policy: dict[str, Any]) -> int:
    """Return how many days of measures it looks at: twice its longest span, since some days have no answers."""
    return 2 * max(int(policy["retraining"][cause]["days"]) for cause in ("performance", "drift"))


def policy_hash() -> str:
    """Return the SHA-256 of the policy, which every decision cites."""
    return hashlib.sha256(POLICY.read_bytes()).hexdigest()
