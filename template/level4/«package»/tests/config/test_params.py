"""The parameters are those of the file, and nothing that it should not say is passed over."""

import hashlib
from pathlib import Path

import pytest

from ...config import params
from ...config.params import PARAMS, read_params
from ...config.settings import SettingsError


def test_the_parameters_carry_the_fingerprint_of_their_file() -> None:
    assert read_params().sha256 == hashlib.sha256(PARAMS.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("learning_rate: 0.05", "learning_rate: fast", "model.learning_rate: .* valid number"),
        ("learning_rate: 0.05", "learning_rate: 0", "model.learning_rate: .* greater than 0"),
        (
            "learning_rate: 0.05",
            "learning_speed: 0.05",
            "model.learning_rate: Field required.*learning_speed: Extra",
        ),
        ("model:", "holdout: 8\nmodel:", "holdout: Extra inputs are not permitted"),
        ("model:", "model: [", "cannot be read"),
    ],
)
def test_a_mistake_in_the_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, old: str, new: str, problem: str
) -> None:
    changed = tmp_path / "params.yaml"
    changed.write_text(PARAMS.read_text().replace(old, new, 1))
    monkeypatch.setattr(params, "PARAMS", changed)
    with pytest.raises(SettingsError, match=rf"params\.yaml .*{problem}"):
        read_params()
