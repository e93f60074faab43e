"""What the watch looks at: who said what, also on odd days."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from .. import artefact, history, look, registry
from .conftest import make_flights

NAME = "flight-delays/2@aa"


def answered(arms: list[str]) -> pd.DataFrame:
    """Return answers by these arms: the challenger says 0.9 where the champion of that day would have said 0.1."""
    table = make_flights(days=1, per_day=len(arms)).assign(arm=arms, day="2013-03-01")
    challenger = table["arm"] == "challenger"
    return table.assign(
        model=np.where(challenger, NAME, "flight-delays/1@bb"),
        said=0.1,
        late_probability=np.where(challenger, 0.9, 0.1),
    )


def test_a_challenger_that_gave_all_answers_of_a_day_is_measured() -> None:
    (only,) = look.served(answered(["challenger"] * 5))
    assert only[0] == NAME
    assert (only[1]["said"] == 0.9).all()


def test_the_champion_is_measured_on_every_answer_and_a_challenger_on_its_own() -> None:
    found = dict(look.served(answered(["champion"] * 3 + ["challenger"])))
    assert {name: len(each) for name, each in found.items()} == {"flight-delays/1@bb": 4, NAME: 1}


def test_a_new_champion_is_held_against_the_one_before_by_what_it_said_as_challenger(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = SimpleNamespace(answer=lambda features: np.full(len(features["carrier"]), 0.1))
    monkeypatch.setattr(history, "events", list)
    monkeypatch.setattr(history, "champion_before", lambda events, left: "1")
    monkeypatch.setattr(registry, "version_of", lambda alias: "2")
    monkeypatch.setattr(registry, "version", lambda number: SimpleNamespace(tags={"digest": "bb"}))
    monkeypatch.setattr(artefact, "load", lambda folder, digest: before)
    known = answered(["challenger"] * 50).assign(arrival_delay=0.0)
    extra, _ = look.against_previous(known, NAME, "2013-02-27")
    assert len(extra) == 50
    assert (extra > 2).all()  # it said 0.9 of flights that were all on time
