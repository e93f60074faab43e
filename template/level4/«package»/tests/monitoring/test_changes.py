"""A change is announced to whoever owns it, once, and before the first file that has it."""

import json
from pathlib import Path
from typing import Any

import pytest

from ...config import paths
from ...config.policy import read_policy
from ...events import Event, Kind
from ...monitoring import watch

SCHEMA = {"version": 2, "valid_from": "2013-10-01", "renamed": {"a": "b"}}


@pytest.fixture(autouse=True)
def _stage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "DROP", tmp_path)
    monkeypatch.setattr(paths, "KNOWN", tmp_path / "surroundings.json")
    monkeypatch.setattr(watch, "installed", lambda: {"numpy": "1"})


def this_morning() -> list[Event]:
    nothing: Any = None
    return watch.changes("2013-03-01", nothing, nothing, read_policy())


def test_an_announced_change_is_named_once_with_its_owner() -> None:
    assert not this_morning()
    (paths.DROP / "schema.json").write_text(json.dumps(SCHEMA))
    (event,) = this_morning()
    assert event.kind is Kind.CHANGED
    assert event.facts["owner"] == read_policy().owners["upstream"]
    assert event.facts["changed"]["renamed"] == [None, {"a": "b"}]
    assert not this_morning()


def test_what_was_announced_before_the_first_morning_is_news() -> None:
    (paths.DROP / "schema.json").write_text(json.dumps(SCHEMA))
    assert len(this_morning()) == 1


def test_another_package_is_named_with_its_owner(monkeypatch: pytest.MonkeyPatch) -> None:
    this_morning()
    monkeypatch.setattr(watch, "installed", lambda: {"numpy": "2"})
    (event,) = this_morning()
    assert event.facts == {
        "cause": "packages",
        "owner": read_policy().owners["packages"],
        "changed": {"numpy": ["1", "2"]},
    }


def test_an_announcement_that_cannot_be_read_is_an_error_and_forgets_nothing() -> None:
    this_morning()
    (paths.DROP / "schema.json").write_text("{")
    with pytest.raises(ValueError, match="Expecting"):
        this_morning()
    (paths.DROP / "schema.json").write_text(json.dumps(SCHEMA))
    assert len(this_morning()) == 1
