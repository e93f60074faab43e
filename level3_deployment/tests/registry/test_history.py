"""History: in order, nothing overwritten, and a rollback that never brings a bad model back."""

from types import SimpleNamespace

import pytest

from ...registry import history
from ...registry import models as real
from ...registry.history import BACK, CHALLENGES, FIRST, LEFT, PROMOTED, Event, champion_before


class Registry:
    """Versions with tags, kept as the real one keeps them: a tag of the same name is overwritten."""

    def __init__(self, *versions: str) -> None:
        self.kept = {version: SimpleNamespace(version=version, tags={}) for version in versions}

    def set_model_version_tag(self, _model: str, version: str, name: str, value: str) -> None:
        self.kept[version].tags[name] = value


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    made = Registry("1", "2")
    monkeypatch.setattr(history, "MlflowClient", lambda: made)
    monkeypatch.setattr(real, "versions", lambda: list(made.kept.values()))
    return made


def test_all_that_happened_is_kept_in_order(registry: Registry) -> None:
    history.record("2", CHALLENGES, "20% of traffic")
    history.record("1", FIRST, "nothing: it is")
    history.record("2", CHALLENGES, "50% of traffic")
    happened = history.events()
    assert [(each.version, each.what, each.why) for each in happened] == [
        ("2", CHALLENGES, "20% of traffic"),
        ("1", FIRST, "nothing: it is"),
        ("2", CHALLENGES, "50% of traffic"),
    ]
    assert "version 2 became challenger: 50% of traffic" in str(happened[-1])


def test_a_version_is_delivered_once_something_came_of_it(registry: Registry) -> None:
    assert history.undelivered() == ["1", "2"]
    registry.kept["1"].tags["refused"] = "by a gate"
    history.record("2", CHALLENGES, "20% of traffic")
    assert history.undelivered() == []


def test_a_version_that_awaits_a_person_is_delivered(registry: Registry) -> None:
    registry.kept["1"].tags["awaits"] = "approval"
    assert history.undelivered() == ["2"]


def past(*happened: tuple[str, str]) -> list[Event]:
    return [Event(f"{n:03}", version, what, "") for n, (version, what) in enumerate(happened)]


THREE = [("1", FIRST), ("2", CHALLENGES), ("2", PROMOTED), ("3", PROMOTED)]


def test_a_rollback_leads_to_the_champion_before() -> None:
    assert champion_before(past(*THREE), "3") == "2"
    assert champion_before(past(("1", FIRST), ("2", CHALLENGES)), "1") is None
    assert champion_before([], None) is None


def test_a_second_rollback_goes_further_back_and_a_third_nowhere() -> None:
    once = [*THREE, ("3", LEFT), ("2", BACK)]
    assert champion_before(past(*once), "2") == "1"
    twice = [*once, ("2", LEFT), ("1", BACK)]
    assert champion_before(past(*twice), "1") is None
    assert champion_before(past(*twice, ("4", PROMOTED)), "4") == "1"


def test_a_rollback_that_died_half_way_does_not_lead_back_to_what_it_left() -> None:
    assert champion_before(past(*THREE, ("3", LEFT)), "3") == "2"
    assert champion_before(past(*THREE, ("3", LEFT)), "2") == "1"
