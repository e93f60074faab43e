"""The model card has the figures of the registry, and says of a policy or an alarm only where there is one."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ...delivery import model_card
from ...registry import models

DIGEST = "0123456789abcdef"


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stand in for a registered version and its training."""
    version = SimpleNamespace(run_id="a1", tags={"snapshot": "5eed", "commit": "c0ffee"})
    metrics = {"holdout_«loss»": 0.45678, "holdout_«second»": 0.71234, "train_«loss»": 0.41111}
    run = SimpleNamespace(metrics=metrics, params={"holdout_days": "14"}, tags={"trigger": "schedule"})
    slices = {"plan": {"basic": {"candidate": 0.5, "champion": 0.6}, "rare": {"candidate": 0.7}}}
    monkeypatch.setattr(models, "version", lambda _: version)
    monkeypatch.setattr(models, "training_of", lambda _: run)
    monkeypatch.setattr(model_card, "load_dict", lambda _: {"slices": slices})
    monkeypatch.setattr(models, "keep", lambda *_: None)
    return version


def card(folder: Path, **provenance: Any) -> str:
    gates = {"fast_enough": {"passed": True, "reason": "p95 0.1 ms"}}
    certificate = {"digest": DIGEST, "gates": gates, **provenance}
    (folder / "certificate.json").write_text(json.dumps(certificate))
    return model_card.write("3", folder).read_text()


def test_its_figures_are_those_of_the_run_and_the_certificate(registered: SimpleNamespace, tmp_path: Path) -> None:
    text = card(tmp_path)
    for known in ("0.4568", "0.7123", "0.4111", DIGEST, "snapshot 5eed", "commit c0ffee", "schedule"):
        assert known in text
    assert "| fast_enough | p95 0.1 ms |" in text
    assert "| plan basic | 0.5000 | 0.6000 |" in text
    assert "| plan rare | 0.7000 |  |" in text
    assert "There was no champion before it." in text


def test_it_names_a_policy_and_an_alarm_only_where_there_is_one(
    registered: SimpleNamespace, tmp_path: Path
) -> None:
    text = card(tmp_path)
    assert "policy" not in text
    assert "alarm" not in text
    registered.tags["alarm"] = "2013-07-01-performance"
    text = card(tmp_path, policy="f00d")
    assert "| certified under policy | f00d |" in text
    assert "schedule, alarm 2013-07-01-performance" in text
