"""A start while the registry is away: what served last serves, if it is still what was certified."""

import json
from pathlib import Path

import pandas as pd
import pytest

from ...config import paths
from ...config.problem import NAME
from ...delivery.package import package
from ...registry import certificate
from ...registry.artifact import MODEL
from ...serving import last_known
from ...serving.rollout import Follower
from ...training.train import train

NOWHERE = "http://127.0.0.1:9"  # where nobody listens


@pytest.fixture
def folder(instances: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let version 7 have served last; return the folder of the packages."""
    monkeypatch.setattr(paths, "SEAL_KEY", tmp_path / "seal.key")
    folder = tmp_path / "serving"
    digest = package(train(instances, {"max_iter": 5, "random_state": 0}), instances, {"run": "a"}, folder / "new")
    (folder / "new").rename(folder / digest)
    text = certificate.write(digest, {"gate": {"passed": True, "reason": "well"}}, {})
    names = {"name": f"{NAME}/7@{digest[:12]}", "version": "7", "digest": digest}
    last_known.keep(folder, names | {"certificate": text, "seal": certificate.seal(text)})
    return folder


def started(folder: Path) -> Follower:
    follower = Follower(NOWHERE, NAME, "champion", folder)
    follower.follow()
    return follower


def test_what_served_last_serves_while_the_registry_is_away_and_says_so(folder: Path) -> None:
    follower = started(folder)
    assert follower.rollout.champion is not None
    assert follower.rollout.champion.name.startswith(f"{NAME}/7@")
    assert "the registry does not answer" in (follower.problem or "")


@pytest.mark.parametrize("damage", ["package", "certificate", "seal", "half a file", "nothing kept"])
def test_nothing_serves_that_is_not_what_was_certified(folder: Path, damage: str) -> None:
    kept, facts = folder / last_known.FILE, json.loads((folder / last_known.FILE).read_text())
    if damage == "package":
        model = folder / facts["digest"] / MODEL
        model.write_bytes(model.read_bytes()[:-1])
    elif damage == "half a file":
        kept.write_text(kept.read_text()[:100])
    elif damage == "nothing kept":
        kept.unlink()
    else:
        other = str.maketrans("0123456789", "1234567890")  # a seal without any digit is none that chance makes
        kept.write_text(json.dumps(facts | {damage: facts[damage].translate(other)}))
    assert started(folder).rollout.champion is None


def test_it_is_written_only_when_another_one_serves(folder: Path) -> None:
    kept = folder / last_known.FILE
    facts, before = json.loads(kept.read_text()), kept.stat().st_mtime_ns
    last_known.keep(folder, facts)
    assert kept.stat().st_mtime_ns == before
    last_known.keep(folder, facts | {"version": "8"})
    assert json.loads(kept.read_text())["version"] == "8"
