"""What a training's surroundings are, and what of them has changed since another one."""

from importlib.metadata import version
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from ...config.environment import installed
from ...training import surroundings
from ...training.surroundings import changed_since, difference


def test_what_came_went_and_changed_is_a_difference() -> None:
    assert difference({"a": "1", "b": "1", "c": "1"}, {"b": "1", "c": "2", "d": "1"}) == {
        "a": ["1", None],
        "c": ["1", "2"],
        "d": [None, "1"],
    }


@pytest.mark.slow
def test_what_has_changed_since_an_earlier_run_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instances: pd.DataFrame
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.set_experiment(experiment_id=mlflow.create_experiment("training", artifact_location=str(tmp_path)))
    with mlflow.start_run() as without:
        pass
    with mlflow.start_run() as earlier:
        assert changed_since(None, instances) == {}
    with mlflow.start_run():
        assert changed_since(without.info.run_id, instances) == {}
        assert changed_since(earlier.info.run_id, instances) == {"packages": {}, "columns": {}}
        monkeypatch.setattr(surroundings, "installed", lambda: installed() | {"mlflow": "0"})
        changed = changed_since(earlier.info.run_id, instances.assign(new=1))
    assert changed == {"packages": {"mlflow": [version("mlflow"), "0"]}, "columns": {"new": [None, "int64"]}}
