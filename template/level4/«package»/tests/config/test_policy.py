"""The policy is that of the file; a limit that cannot be meant is named."""

from pathlib import Path

import pytest

from ...config import policy
from ...config.policy import POLICY, read_policy
from ...config.settings import SettingsError


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("slack: 1", "slack: -1", "retraining.performance.slack: .* greater than or equal to 0"),
        ("weekdays: [0]", "weekdays: [-1]", r"shadow.weekdays.0: .* greater than or equal to 0"),
        ("cool_down_days: 7", "cool_down_days: 0.5", "guards.cool_down_days: .* integer"),
    ],
)
def test_a_mistake_in_the_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: str, new: str, problem: str
) -> None:
    changed = tmp_path / "policy.yaml"
    changed.write_text(POLICY.read_text().replace(old, new, 1))
    monkeypatch.setattr(policy, "POLICY", changed)
    with pytest.raises(SettingsError, match=rf"policy\.yaml .*{problem}"):
        read_policy()
