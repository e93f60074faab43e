"""The morning's calibration: it learns the level, within its limits, and not from labels gone wrong."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ...config import paths
from ...config.policy import read_policy
from ...config.problem import NAME, OUTCOME, TIME
from ...data.features import CATEGORICAL
from ...monitoring import calibrate as calibration_code
from ...monitoring.calibrate import calibrate, fit
from ...registry import artifact, models
from ...serving.calibration import Calibration, calibrated, recorded
from ...serving.prediction_log import open_log
from ..conftest import make_instances

LIMITS = read_policy().calibration
PRIOR = 2_000
VERSION: Any = SimpleNamespace(version="2", tags={"digest": "aa"})


def instances(days: int) -> pd.DataFrame:
    """Return requests of some days with their outcomes."""
    table = make_instances(days)
    return table.assign(day=table[TIME].dt.strftime("%Y-%m-%d"))


def labels(instances: int, share: float, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random(instances) < share).astype(int)


def test_many_instances_bring_the_mean_prediction_to_the_share_that_is_positive() -> None:
    label = labels(20_000, 0.25)
    predicted = np.full(20_000, 0.2)
    intercept = fit(predicted, label, LIMITS)
    assert calibrated(predicted, intercept).mean() == pytest.approx(label.mean(), abs=0.01)


def test_few_instances_move_it_little() -> None:
    limits = LIMITS.model_copy(update={"prior_instances": PRIOR})
    moved = [fit(np.full(n, 0.2), labels(n, 0.3), limits) for n in (PRIOR // 20, PRIOR // 2, 10 * PRIOR)]
    assert 0 < moved[0] < moved[1] < moved[2]
    assert moved[0] < 0.05


@pytest.mark.parametrize(
    ("share", "expected"), [(0.9, LIMITS.max_abs_intercept), (0.0, -LIMITS.max_abs_intercept)]
)
def test_it_is_bounded(share: float, expected: float) -> None:
    assert fit(np.full(20_000, 0.4), labels(20_000, share), LIMITS) == expected


def test_no_instance_moves_nothing() -> None:
    assert fit(np.array([]), np.array([]), LIMITS) == 0


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """Stand in for the registry's tags and a package that says 0.2 for every instance."""
    tags: dict[str, str] = {}
    always = SimpleNamespace(predict=lambda features: np.full(len(features[CATEGORICAL[0]]), 0.2))
    monkeypatch.setattr(models, "tag_model", tags.__setitem__)
    monkeypatch.setattr(calibration_code, "wait_until_served", lambda *_: None)
    monkeypatch.setattr(models, "package_of", lambda *_: ("", ""))
    monkeypatch.setattr(artifact, "load", lambda *_: always)
    monkeypatch.setattr(paths, "PREDICTION_LOG", tmp_path / "predictions.db")
    return tags


«% if kind == "binary" %»
def test_what_is_published_is_on_record_with_what_it_was_made_from(published: dict[str, str]) -> None:
    recent = instances(7)  # half of them are label
    made = calibrate("2013-03-08", recent, [VERSION], read_policy())
    model = f"{NAME}/2@aa"
    assert made.intercepts[model] > 0.1
    assert Calibration.read(published["calibration"]) == made
    with open_log(paths.PREDICTION_LOG) as log:
        intercept, facts = recorded(log, "2013-03-08", model)
    assert intercept == made.intercepts[model]
    assert facts["instances"] == len(recent.dropna(subset=OUTCOME))
    assert facts["policy"] == read_policy().sha256
«% endif %»


def test_before_any_outcome_it_is_off(published: dict[str, str]) -> None:
    unknown = instances(1).assign(**{OUTCOME: np.nan})
    assert calibrate("2013-03-02", unknown, [VERSION], read_policy()).intercepts == {}
    assert json.loads(published["calibration"]) == {"id": "2013-03-02", "intercepts": {}}


def test_after_a_week_without_a_request_it_is_off(published: dict[str, str]) -> None:
    nobody_asked = pd.DataFrame(columns=["day", TIME, OUTCOME])
    assert calibrate("2013-03-02", nobody_asked, [VERSION], read_policy()).intercepts == {}
