"""A service that refuses a version goes on with what it held; one that only does not answer is asked again."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ...config import paths
from ...delivery import pipeline, promotion
from ...delivery.promotion import CHALLENGER, STAGING, NotFollowedError, NotTakenError
from ...errors import StageError
from ...registry import history, models
from ...registry.models import CHAMPION


class Client:
    """Stands in for the registry's: keeps the tags of versions."""

    def __init__(self) -> None:
        self.tags: dict[str, str] = {}

    def set_model_version_tag(self, _model: str, _version: str, name: str, value: str) -> None:
        self.tags[name] = value

    def set_registered_model_tag(self, *_: str) -> None:
        """Say nothing of the model's own."""


@pytest.mark.parametrize("held", ["1", None])
def test_staging_goes_on_with_what_it_held(monkeypatch: pytest.MonkeyPatch, held: str | None) -> None:
    aliases = {STAGING: held} if held else {}

    def refuses(*_: object, **__: object) -> None:
        assert aliases[STAGING] == "2"
        raise NotFollowedError("the service refuses version 2: it does not load")

    monkeypatch.setattr(models, "version_of", aliases.get)
    monkeypatch.setattr(models, "set_alias", aliases.__setitem__)
    monkeypatch.setattr(models, "delete_alias", aliases.__delitem__)
    monkeypatch.setattr(promotion, "_wait", refuses)
    monkeypatch.setenv("STAGING", "http://127.0.0.1:1")
    with pytest.raises(NotFollowedError):
        promotion.stage("2")
    assert aliases.get(STAGING) == held


@pytest.mark.parametrize(("error", "happened"), [(NotFollowedError, []), (NotTakenError, ["withdrawn"])])
def test_a_release_that_nobody_answered_leaves_no_trace_but_a_refused_one_does(
    monkeypatch: pytest.MonkeyPatch, error: type[StageError], happened: list[str]
) -> None:
    aliases, events = {CHAMPION: "1"}, []

    def silent(*_: object, **__: object) -> None:
        raise error("no answer")

    monkeypatch.setattr(models, "version_of", aliases.get)
    monkeypatch.setattr(models, "set_alias", aliases.__setitem__)
    monkeypatch.setattr(models, "delete_alias", aliases.__delitem__)
    monkeypatch.setattr(models, "tags", dict)
    monkeypatch.setattr(history, "record", lambda version, what, why: events.append(what))
    monkeypatch.setattr(promotion, "MlflowClient", Client)
    monkeypatch.setattr(promotion, "_wait", silent)
    monkeypatch.setenv("APPLICATION", "http://127.0.0.1:1")
    with pytest.raises(error):
        promotion.release("2", 0.2)
    assert (CHALLENGER in aliases, events) == (False, happened)


def test_a_share_of_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StageError, match="challenger_share is 0"):
        promotion.release("2", 0)


def test_a_version_that_silences_a_service_twice_is_refused_and_those_behind_it_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    client = Client()

    def builds(version: str) -> Any:
        if version == "2":
            raise NotFollowedError("no answer")
        raise NotTakenError("the service refuses version 3: it does not load")

    monkeypatch.setattr(paths, "APP", tmp_path)
    monkeypatch.setattr(pipeline, "build", builds)
    monkeypatch.setattr(pipeline, "MlflowClient", lambda: client)
    monkeypatch.setattr(pipeline, "deliver", pipeline.deliver.fn)
    monkeypatch.setattr(models, "version_of", lambda _: None)
    monkeypatch.setattr(models, "version", lambda _: SimpleNamespace(tags=client.tags))
    monkeypatch.setattr(history, "undelivered", lambda: ["2", "3"])
    said = pipeline.finish()
    assert "version 2 was not delivered: no answer" in said
    assert "version 3 was not delivered: the service refuses" in said
    assert set(client.tags) == {"unanswered", "refused"}
    client.tags.pop("refused")
    monkeypatch.setattr(history, "undelivered", lambda: ["2"])
    pipeline.finish()
    assert client.tags["refused"] == "no answer"
