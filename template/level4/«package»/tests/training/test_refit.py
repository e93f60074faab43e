"""The refitted model has learned from the held-out days; if it disagrees with the judged one, it stays out."""

from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from ...config.params import Params, read_params
from ...config.problem import «threshold», OUTCOME, TIME
from ...data.features import make_features
from ...registry import models
from ...training.evaluate import hold_out
from ...training.model import «prediction»
from ...training.refit import refit
from ...training.train import train
from ..conftest import make_instances

pytestmark = pytest.mark.slow


@pytest.fixture
def params() -> Params:
    """Return parameters for little data."""
    return read_params().model_copy(update={"holdout_days": 7})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Begin a training run on a tracking store of its own."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    mlflow.create_experiment("training", artifact_location=str(tmp_path / "artifacts"))
    mlflow.set_experiment("training")
    with mlflow.start_run() as active:
        yield active.info.run_id


def judged_and_refitted(table: pd.DataFrame, params: Params, folder: Path) -> tuple[str, str]:
    """Return the addresses of the model that is judged, and of the one that is released."""
    table.to_parquet(folder / "table.parquet", index=False)
    past, recent = hold_out(table, params.holdout_days)
    model = train(past, params.model.model_dump())
    judged = models.log_model(model, pd.DataFrame(make_features(recent.tail(5))))
    return judged, refit.fn(str(folder / "table.parquet"), judged, params)


def test_the_released_model_has_learned_from_the_held_out_days(run: str, params: Params, tmp_path: Path) -> None:
    table = make_instances(days=28).dropna(subset=OUTCOME)
    judged, released = judged_and_refitted(table, params, tmp_path)
    assert released != judged
    assert MlflowClient().get_run(run).data.tags["judged"] == judged
    everything = train(table, params.model.model_dump())
    assert «prediction»(models.load(released), table) == pytest.approx(«prediction»(everything, table))


«% if kind == "binary" %»
def test_a_refit_that_turns_the_predictions_around_is_not_released(
    run: str, params: Params, tmp_path: Path
) -> None:
    """As when the upstream has begun to count something else."""
    table = make_instances(days=28).dropna(subset=OUTCOME)
    newest = table[TIME] >= "2013-03-22"
    judged, released = judged_and_refitted(
        table.assign(**{OUTCOME: np.where(newest, «threshold», table[OUTCOME])}), params, tmp_path
    )
    assert released == judged
    assert MlflowClient().get_run(run).data.metrics["refit_moved_share"] > 0.5
«% endif %»
