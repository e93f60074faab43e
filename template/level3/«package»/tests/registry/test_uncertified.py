"""After a climb, the registry holds versions that nothing can certify any more."""

from types import SimpleNamespace

import pytest

from ...registry import history, models, uncertified
from ...registry.lifecycle import State


@pytest.fixture
def aliases(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """Make a registry: version 1 was trained before models were certified, version 2 afterwards, 3 by hand."""
    runs = {"1": "old", "2": "new", "3": ""}
    versions = {number: SimpleNamespace(version=number, tags={}, run_id=run) for number, run in runs.items()}
    trainings = {"old": SimpleNamespace(tags={}), "new": SimpleNamespace(tags={"judged": "models:/m-1"})}
    aliases: dict[str, str | None] = {}
    monkeypatch.setattr(models, "tag", lambda version, name, value: versions[version].tags.update({name: value}))
    monkeypatch.setattr(models, "version", versions.__getitem__)
    monkeypatch.setattr(models, "versions", lambda: list(versions.values()))
    monkeypatch.setattr(models, "training_of", lambda version: trainings[version.run_id])
    monkeypatch.setattr(models, "version_of", aliases.get)
    monkeypatch.setattr(models, "set_alias", aliases.__setitem__)
    return aliases


def test_a_champion_without_certificate_makes_room(aliases: dict[str, str | None]) -> None:
    aliases[models.CHAMPION] = "1"
    uncertified.retire()
    assert aliases[models.CHAMPION] is None
    assert history.state("1") is State.REFUSED
    assert history.undelivered() == ["2", "3"]


def test_a_certified_champion_stays(aliases: dict[str, str | None]) -> None:
    aliases[models.CHAMPION] = "2"
    history.record("2", State.CERTIFIED, "no gate stopped it")
    history.record("2", State.CHAMPION, "there was none")
    uncertified.retire()
    assert aliases[models.CHAMPION] == "2"
    assert history.state("2") is State.CHAMPION
