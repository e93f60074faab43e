"""The refit in the shadow: it has not seen the days that it is compared on, and says what a training is worth."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from ...config import paths
from ...config.params import read_params
from ...config.policy import read_policy
from ...config.problem import OUTCOME, TIME
from ...monitoring import shadow
from ...monitoring.shadow import is_worth_it, shadow_refit
from ...training.model import «prediction»
from ...training.paired import Difference
from ...training.train import train
from ..conftest import make_instances, write_days

LIMITS = read_policy().shadow


@pytest.fixture
def landed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Collect four weeks of instances, from 1 March on; return those that landed."""
    table = make_instances(days=28)
    write_days(table, tmp_path)
    monkeypatch.setattr(paths, "DATA", tmp_path)
    return table.dropna(subset=OUTCOME).assign(day=table[TIME].dt.strftime("%Y-%m-%d"))


def test_a_champion_that_knows_nothing_is_worth_a_training(landed: pd.DataFrame) -> None:
    excess = shadow_refit("2013-03-29", landed.assign(raw_probability=0.5), LIMITS)
    assert excess.days == 7
    assert excess.mean < -0.05
    assert is_worth_it(excess, LIMITS)


«% if kind == "binary" %»
def test_a_champion_that_is_as_good_is_not(landed: pd.DataFrame) -> None:
    champion = train(landed[landed["day"] < "2013-03-20"], read_params().model.model_dump())
    excess = shadow_refit("2013-03-29", landed.assign(raw_probability=«prediction»(champion, landed)), LIMITS)
    assert abs(excess.mean) < 0.05
    assert not is_worth_it(excess, LIMITS)
«% endif %»


def test_the_refit_has_not_seen_the_days_that_it_is_compared_on(
    landed: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[pd.DataFrame] = []

    def seeing(table: pd.DataFrame, params: dict[str, Any]) -> Pipeline:
        seen.append(table)
        return train(table, params)

    monkeypatch.setattr(shadow, "train", seeing)
    shadow_refit("2013-03-29", landed.assign(raw_probability=0.5), LIMITS)
    assert seen[0][TIME].max() < pd.Timestamp("2013-03-22")


@pytest.mark.parametrize(
    ("excess", "worth"),
    [
        (Difference(-0.02, 0.005, 7), True),
        (Difference(-0.02, 0.05, 7), False),  # one day explains it
        (Difference(-0.005, 0.0001, 7), False),  # sure, and too little
        (Difference(0.02, 0.005, 7), False),
    ],
)
def test_it_is_worth_it_when_the_gain_is_large_and_not_one_days(excess: Difference, worth: bool) -> None:
    assert is_worth_it(excess, LIMITS) is worth


def test_the_answers_of_before_are_left_out(landed: pd.DataFrame) -> None:
    wrong_before = landed.assign(raw_probability=np.where(landed["day"] < "2013-03-22", 0.999, 0.5))
    assert shadow_refit("2013-03-29", wrong_before, LIMITS) == shadow_refit(
        "2013-03-29", landed.assign(raw_probability=0.5), LIMITS
    )
