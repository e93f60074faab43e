"""The daily review: a verdict is carried out, harm ends an experiment, and a worse champion goes back."""

from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ...config import paths
from ...config.problem import ID, LATE_MINUTES, NAME, OUTCOME, OUTCOMES, ROWS, TIME
from ...data.schema import Flight
from ...delivery import following, promotion, review
from ...delivery.promotion import CHALLENGER, PREVIOUS
from ...events import Event, Kind
from ...registry import models
from ...serving.prediction_log import Logged, append, open_log
from ..arms import arm
from ..example import numbered

FIRST = date(2013, 7, 1)
ONE, TWO = f"{NAME}/1@111111111111", f"{NAME}/2@222222222222"
FLIGHTS = 60  # a day


@pytest.fixture
def aliases(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Stand in for the registry, with two versions of one recipe, and for the moves between the aliases."""
    aliases: dict[str, str] = {}
    versions = {n: SimpleNamespace(version=n, tags={"digest": n * 64}) for n in ("1", "2")}
    monkeypatch.setattr(models, "version_of", aliases.get)
    monkeypatch.setattr(models, "set_alias", lambda alias, _: aliases.pop(alias))
    monkeypatch.setattr(models, "champion", lambda: versions.get(aliases["champion"]))
    monkeypatch.setattr(models, "version", versions.__getitem__)
    tags = {"experiment": "trial", "experiment_days": "7", "challenger_share": "0.5"}
    tags |= dict.fromkeys(("experiment_began", "promoted_on"), FIRST.isoformat())
    monkeypatch.setattr(models, "tags", lambda: tags)
    recipes = {"1": "a", "2": "a"}
    trained = lambda version: SimpleNamespace(tags={"recipe": recipes[version.version]})  # noqa: E731
    monkeypatch.setattr(models, "training_of", trained)
    monkeypatch.setattr(promotion, "promote", lambda why, _: f"promoted: {why}")
    monkeypatch.setattr(promotion, "withdraw", lambda why: f"withdrawn: {why}")
    monkeypatch.setattr(promotion, "rollback", lambda why: f"rolled back: {why}")
    monkeypatch.setattr(following, "problem_of", lambda _: "")
    monkeypatch.setattr(paths, "PREDICTION_LOG", tmp_path / "predictions.db")
    monkeypatch.setattr(paths, "DATA", tmp_path)
    return aliases


def serve(folder: Path, days: int, one: float, two: float) -> None:
    """Let two models answer some days of flights, all of them late, and let the outcomes land."""
    random = np.random.default_rng(0)
    with open_log(folder / "predictions.db") as connection:
        for day in (FIRST + timedelta(days=n) for n in range(days)):
            noise = random.normal(0, 0.01)
            answers = [answer(day, n, one + noise, two) for n in range(1, FLIGHTS + 1)]
            append(connection, answers)
            asked = pd.DataFrame([each.flight.model_dump() for each in answers])
            publish(folder / ROWS, day, asked)
            publish(folder / OUTCOMES, day, asked[[ID]].assign(**{OUTCOME: float(LATE_MINUTES)}))


def publish(folder: Path, day: date, table: pd.DataFrame) -> None:
    folder.mkdir(exist_ok=True)
    table.to_parquet(folder / f"{day}.parquet")


def answer(day: date, flight: int, one: float, two: float) -> Logged:
    asked = numbered(flight) | {ID: f"{day}-{flight}", TIME: f"{day}T06:30"}
    served_by = arm(asked, "trial", 0.5)
    model, others = (TWO, {ONE: one}) if served_by == "challenger" else (ONE, {TWO: two})
    return Logged(Flight.model_validate(asked), served_by, model, two if model == TWO else one, "trial", others)


def only(events: list[Event]) -> Event:
    (event,) = events
    return event


def test_nothing_is_reviewed_without_a_challenger_or_a_predecessor(aliases: dict[str, str]) -> None:
    aliases["champion"] = "1"
    assert review.review_challenger(FIRST) == review.review_champion(FIRST) == []


@pytest.mark.parametrize(
    ("two", "kind", "text"),
    [(0.7, Kind.PROMOTED, "promoted: promote after 7 days"), (0.3, Kind.WITHDRAWN, "surely worse")],
)
def test_the_verdict_is_carried_out_when_the_days_are_over(
    aliases: dict[str, str], tmp_path: Path, two: float, kind: Kind, text: str
) -> None:
    aliases |= {"champion": "1", CHALLENGER: "2"}
    serve(tmp_path, 6, one=0.5, two=two)
    assert only(review.review_challenger(FIRST + timedelta(days=6))).kind is Kind.REVIEWED
    serve(tmp_path, 7, one=0.5, two=two)
    event = only(review.review_challenger(FIRST + timedelta(days=7)))
    assert event.kind is kind
    assert text in event.text


def test_a_change_that_people_made_has_to_be_better(
    aliases: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aliases |= {"champion": "1", CHALLENGER: "2"}
    serve(tmp_path, 7, one=0.5, two=0.5)
    assert only(review.review_challenger(FIRST + timedelta(days=7))).kind is Kind.PROMOTED
    another = lambda version: SimpleNamespace(tags={"recipe": version.version})  # noqa: E731
    monkeypatch.setattr(models, "training_of", another)
    event = only(review.review_challenger(FIRST + timedelta(days=7)))
    assert event.kind is Kind.WITHDRAWN
    assert "a change, and not surely better" in event.text


def test_harm_to_the_service_ends_an_experiment_at_once(
    aliases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aliases |= {"champion": "1", CHALLENGER: "2"}
    monkeypatch.setattr(following, "problem_of", lambda version: f"version {version}: failed to predict")
    event = only(review.review_challenger(FIRST))
    assert event.kind is Kind.WITHDRAWN
    assert "harm to the service, version 2: failed to predict" in event.text


@pytest.mark.parametrize(("two", "goes_back"), [(0.3, True), (0.5, False), (0.7, False)])
def test_a_champion_that_is_surely_worse_than_the_one_before_it_goes_back(
    aliases: dict[str, str], tmp_path: Path, two: float, goes_back: bool
) -> None:
    aliases |= {"champion": "2", PREVIOUS: "1"}
    serve(tmp_path, 2, one=0.5, two=two)
    assert review.review_champion(FIRST + timedelta(days=2)) == []  # too early to tell
    serve(tmp_path, 3, one=0.5, two=two)
    events = review.review_champion(FIRST + timedelta(days=3))
    assert [event.kind for event in events] == [Kind.ROLLED_BACK] * goes_back


def test_people_hear_that_nothing_predicts_beside_the_champion(
    aliases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    aliases |= {"champion": "2", PREVIOUS: "1"}
    monkeypatch.setattr(following, "problem_of", lambda version: f"version {version}: was slow")
    event = only(review.review_champion(FIRST))
    assert event.kind is Kind.FAILED
    assert "none can come back by itself: version 1: was slow" in event.text


def test_what_has_been_predicted_before_still_counts(
    aliases: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aliases |= {"champion": "2", PREVIOUS: "1"}
    monkeypatch.setattr(following, "problem_of", lambda version: f"version {version}: was slow")
    serve(tmp_path, 3, one=0.5, two=0.3)
    assert only(review.review_champion(FIRST + timedelta(days=3))).kind is Kind.ROLLED_BACK


def test_the_shadow_ends_after_two_weeks(aliases: dict[str, str]) -> None:
    aliases |= {"champion": "2", PREVIOUS: "1"}
    review.review_champion(FIRST + timedelta(days=14))
    assert PREVIOUS in aliases
    review.review_champion(FIRST + timedelta(days=15))
    assert PREVIOUS not in aliases


def test_a_registry_that_names_no_champion_any_more_is_told(
    aliases: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "champion", lambda: None)
    monkeypatch.setattr(following, "goes_on", lambda: "")
    assert review.review_champion(FIRST) == []
    monkeypatch.setattr(following, "goes_on", lambda: ONE)
    (event,) = review.review_champion(FIRST)
    assert (event.kind, event.text) == (
        Kind.FAILED,
        f"the registry names no champion: {ONE} goes on until one is released",
    )
