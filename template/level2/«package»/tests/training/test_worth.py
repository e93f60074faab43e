"""What features are worth and cost."""

import time
from typing import Any

import pandas as pd
import pytest

from ...config.problem import BASELINE
from ...data.features import make_features
from ...data.rules import sources
from ...training import worth
from ...training.train import train_baselines


def test_what_a_model_does_not_use_is_useless(instances: pd.DataFrame) -> None:
    _, one_feature = train_baselines(instances).values()
    report = worth.worth_of(one_feature, instances)
    assert {name for name, facts in report.items() if not facts["useless"]} == {BASELINE}
    assert report[BASELINE]["mean"] > 0.01


def test_what_takes_long_to_make_is_seen(instances: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    made_from = sources(instances)
    (column, *_) = sorted(made_from[BASELINE])

    def slowly(rows: Any) -> Any:
        time.sleep(len(rows[column]) * 5e-6)
        return make_features(rows)

    monkeypatch.setattr(worth, "make_features", slowly)
    report = worth.worth_of(train_baselines(instances)["mean"], instances.head(200))
    slow = {name for name, facts in report.items() if facts["milliseconds_per_1000"] > 4}
    assert slow == {name for name, columns in made_from.items() if column in columns}
