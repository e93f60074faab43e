"""A service that refuses a version keeps the one it had; one that does not answer is tried once more."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from ...config import paths
from ...config.params import ExperimentParams
from ...delivery import pipeline, promotion, tasks
from ...delivery.following import NotFollowedError, NotTakenError
from ...delivery.promotion import CHALLENGER, PREVIOUS, STAGING
from ...errors import RefusedError, StageError
from ...events import Kind
from ...registry import history, models
from ...registry.lifecycle import State
from ...registry.models import CHAMPION
from ...training.train import train


@pytest.fixture
def aliases(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """Stand in for the registry's aliases and tags."""
    aliases: dict[str, str | None] = {}
    monkeypatch.setattr(models, "version_of", aliases.get)
    monkeypatch.setattr(models, "set_alias", aliases.__setitem__)
    monkeypatch.setattr(models, "tags", dict)
    monkeypatch.setattr(models, "tag_model", lambda *_: None)
    return aliases


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, State]]:
    """Stand in for the history."""
    recorded: list[tuple[str, State]] = []
    monkeypatch.setattr(history, "record", lambda version, state, why: recorded.append((version, state)))
    monkeypatch.setattr(history, "state", lambda version: dict(recorded).get(version, State.CHALLENGER))
    return recorded


@pytest.fixture
def follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for services that follow the registry at once."""
    monkeypatch.setattr(promotion, "wait_for", lambda *_, **__: None)
    monkeypatch.setenv("APPLICATION", "http://127.0.0.1:1")


def test_the_champion_that_is_replaced_predicts_on_and_may_come_back(
    monkeypatch: pytest.MonkeyPatch,
    aliases: dict[str, str | None],
    recorded: list[tuple[str, State]],
    follows: None,
) -> None:
    aliases |= {CHAMPION: "1", CHALLENGER: "2"}
    promotion.promote("not surely worse", date(2013, 7, 8))
    assert aliases == {CHAMPION: "2", CHALLENGER: None, PREVIOUS: "1"}
    monkeypatch.setattr(history, "read", list)
    monkeypatch.setattr(history, "champion_before", lambda *_: "1")
    promotion.rollback("surely worse")
    assert aliases == {CHAMPION: "1", CHALLENGER: None, PREVIOUS: None}
    assert recorded == [("2", State.PROMOTED), ("2", State.ROLLED_BACK_FROM), ("1", State.ROLLED_BACK_TO)]


def test_a_promotion_whose_process_died_is_done_again_and_keeps_its_shadow(
    aliases: dict[str, str | None], recorded: list[tuple[str, State]], follows: None
) -> None:
    aliases |= {CHAMPION: "2", CHALLENGER: "2", PREVIOUS: "1"}
    promotion.promote("not surely worse", date(2013, 7, 8))
    assert aliases == {CHAMPION: "2", CHALLENGER: None, PREVIOUS: "1"}


@pytest.mark.parametrize("champion", ["1", None])
def test_what_was_refused_is_not_released_and_nothing_moves(
    aliases: dict[str, str | None], recorded: list[tuple[str, State]], follows: None, champion: str | None
) -> None:
    aliases |= {CHAMPION: champion, CHALLENGER: "3"}
    recorded.append(("2", State.REFUSED))
    before = dict(aliases)
    with pytest.raises(RefusedError, match="version 2 is REFUSED"):
        promotion.release("2", ExperimentParams(days=7, challenger_share=0.2))
    assert (aliases, recorded) == (before, [("2", State.REFUSED)])


def test_a_challenger_that_nothing_made_one_is_not_promoted(
    aliases: dict[str, str | None], recorded: list[tuple[str, State]], follows: None
) -> None:
    aliases |= {CHAMPION: "1", CHALLENGER: "2"}
    recorded.append(("2", State.REFUSED))
    with pytest.raises(RefusedError, match="REFUSED, and no move leads from there to PROMOTED"):
        promotion.promote("not surely worse", date(2013, 7, 8))
    assert aliases == {CHAMPION: "1", CHALLENGER: "2"}


@pytest.mark.parametrize("held", ["1", None])
def test_staging_keeps_the_version_it_had(
    monkeypatch: pytest.MonkeyPatch, aliases: dict[str, str | None], held: str | None
) -> None:
    aliases[STAGING] = held

    def refuses(*_: object, **__: object) -> None:
        assert aliases[STAGING] == "2"
        raise NotFollowedError("the service refuses version 2: it does not load")

    monkeypatch.setattr(promotion, "wait_for", refuses)
    monkeypatch.setenv("STAGING", "http://127.0.0.1:1")
    with pytest.raises(NotFollowedError):
        promotion.stage("2")
    assert aliases[STAGING] == held


@pytest.mark.parametrize(
    ("error", "happened"), [(NotFollowedError, []), (NotTakenError, [("2", State.WITHDRAWN)])]
)
def test_a_release_that_nobody_answered_leaves_no_trace_but_a_refused_one_does(
    monkeypatch: pytest.MonkeyPatch,
    aliases: dict[str, str | None],
    recorded: list[tuple[str, State]],
    error: type[StageError],
    happened: list[tuple[str, State]],
) -> None:
    def silent(*_: object, **__: object) -> None:
        raise error("no answer")

    aliases[CHAMPION] = "1"
    monkeypatch.setattr(promotion, "wait_for", silent)
    monkeypatch.setenv("APPLICATION", "http://127.0.0.1:1")
    with pytest.raises(error):
        promotion.release("2", ExperimentParams(days=7, challenger_share=0.2))
    assert (aliases[CHALLENGER], recorded) == (None, happened)


def registered_by(whom: str) -> Callable[[str], Any]:
    """Return a stand-in for the registry's versions: from a training, or from anybody."""
    tags = {"snapshot": "md5", "commit": "abc"} if whom == "training" else {}
    return lambda version: SimpleNamespace(version=version, run_id="run", tags=tags)


def test_a_version_that_nobody_here_made_is_refused_once_and_never_built(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    aliases: dict[str, str | None],
    recorded: list[tuple[str, State]],
) -> None:
    monkeypatch.setattr(paths, "APP", tmp_path)
    monkeypatch.setattr(pipeline, "build", lambda _: pytest.fail("it was built"))
    monkeypatch.setattr(pipeline, "deliver", pipeline.deliver.fn)
    monkeypatch.setattr(models, "version", registered_by("anybody"))
    monkeypatch.setattr(history, "undelivered", lambda: ["7"])
    (event,) = pipeline.finish()
    assert event.kind is Kind.REFUSED
    assert "version 7 was not registered by a training of this project" in event.text
    assert recorded == [("7", State.REFUSED)]


def test_two_trainings_with_the_same_code_data_and_parameters_give_the_same_package(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flights: pd.DataFrame
) -> None:
    tags = {"snapshot": "md5", "commit": "abc"}
    monkeypatch.setattr(paths, "RUNS", tmp_path)
    monkeypatch.setattr(tasks, "_days", lambda _: (flights, flights))
    monkeypatch.setattr(tasks, "_training_params", lambda _: {"max_iter": 5, "holdout_days": 14})
    monkeypatch.setattr(models, "load", lambda _: train(flights, {"max_iter": 5, "random_state": 0}))
    monkeypatch.setattr(models, "keep", lambda *_: None)
    monkeypatch.setattr(models, "tag", lambda *_: None)
    monkeypatch.setattr(models, "version", lambda run: SimpleNamespace(run_id=run, source="", tags=tags))
    digest = tasks.build.fn("one run")
    assert tasks.build.fn("another run") == digest
    tags["commit"] = "def"
    assert tasks.build.fn("other code") != digest


def test_a_version_that_silences_a_service_twice_is_refused_and_those_behind_it_go_on(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    aliases: dict[str, str | None],
    recorded: list[tuple[str, State]],
) -> None:
    def builds(version: str) -> Any:
        if version == "2":
            raise NotFollowedError("no answer")
        raise NotTakenError("the service refuses version 3: it does not load")

    monkeypatch.setattr(paths, "APP", tmp_path)
    monkeypatch.setattr(pipeline, "build", builds)
    monkeypatch.setattr(pipeline, "deliver", pipeline.deliver.fn)
    monkeypatch.setattr(models, "version", registered_by("training"))
    monkeypatch.setattr(history, "undelivered", lambda: ["2", "3"])
    events = pipeline.finish()
    assert [event.kind for event in events] == [Kind.INTERRUPTED, Kind.REFUSED]
    assert "version 2 was not delivered: no answer" in events[0].text
    assert "version 3 was refused: the service refuses" in events[1].text
    assert recorded == [("2", State.INTERRUPTED), ("3", State.REFUSED)]
    monkeypatch.setattr(history, "undelivered", lambda: ["2"])
    pipeline.finish()
    assert recorded[-1] == ("2", State.REFUSED)
