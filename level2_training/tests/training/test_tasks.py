"""The steps of the pipeline in a row, on little data: what each leaves, and what the next makes of it."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow import MlflowClient

from ...config import paths
from ...config.params import read_params
from ...config.problem import BASELINE, OUTCOME, ROWS, WHO
from ...data import rules, snapshot
from ...data.validate import InvalidDataError
from ...registry import models
from ...training import tasks
from ...training.model import late_probability
from ..conftest import make_flights, write_days
from ..example import NUMBER, OUT_OF_RANGE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a stage's folder, with a store of its own for runs and models, where four weeks have been dropped."""
    folder = tmp_path_factory.mktemp("stage")
    write_days(make_flights(days=28), folder / "drop")
    with pytest.MonkeyPatch.context() as patch:
        for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SITE_CACHE_DIR", "DVC_SYSTEM_CONFIG_DIR"):
            patch.setenv(name, str(folder / "dvc"))
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        for name in ("drop", "data", "snapshots", "remote", "runs"):
            patch.setattr(paths, name.upper(), folder / name)
        mlflow.create_experiment("training", artifact_location=str(folder / "artifacts"))
        mlflow.set_experiment("training")
        yield folder


@pytest.fixture(scope="module")
def walk(stage: Path) -> dict[str, Any]:
    """Go through all steps, each with what the one before returned; return that by name of step."""
    with mlflow.start_run() as active:
        run = active.info.run_id
        walk: dict[str, Any] = {"run": run, "collect_files": tasks.collect_files.fn()}
        walk["validate"] = tasks.validate.fn(run, None, 7)
        walk["take_snapshot"] = tasks.take_snapshot.fn(walk["validate"])
        walk["fit"] = tasks.fit.fn(walk["validate"], read_params())
        walk["judge"] = tasks.judge.fn(walk["validate"], walk["fit"], 7)
        walk["register"] = tasks.register.fn(walk["fit"], walk["take_snapshot"])
    return walk


def left(stage: Path, run: str, name: str) -> Any:
    return json.loads((stage / "artifacts" / run / "artifacts" / name).read_text())


def test_collected_files_are_those_that_were_dropped(stage: Path, walk: dict[str, Any]) -> None:
    assert walk["collect_files"] == 56
    assert snapshot.fingerprints(stage / "data") == snapshot.fingerprints(stage / "drop")


def test_validation_leaves_the_table_its_sources_and_its_drift(stage: Path, walk: dict[str, Any]) -> None:
    assert len(pd.read_parquet(walk["validate"])) == len(make_flights(days=28).dropna(subset=OUTCOME))
    assert left(stage, walk["run"], "raw.json") == snapshot.fingerprints(stage / "data")
    assert 0 < left(stage, walk["run"], "drift.json")[NUMBER]["kolmogorov_smirnov"] < 0.1


def test_the_snapshot_is_the_validated_table(stage: Path, walk: dict[str, Any]) -> None:
    again = stage / "again.parquet"
    snapshot.restore(walk["take_snapshot"], stage / "snapshots", stage / "remote", again)
    assert again.read_bytes() == Path(walk["validate"]).read_bytes()


def test_the_fit_leaves_a_model_that_answers_the_table(walk: dict[str, Any]) -> None:
    answers = late_probability(models.load(walk["fit"]), pd.read_parquet(walk["validate"]))
    assert ((answers > 0) & (answers < 1)).all()
    assert answers.std() > 0.1


def test_the_judgement_leaves_report_pictures_and_figures(stage: Path, walk: dict[str, Any]) -> None:
    assert left(stage, walk["run"], "report.json")["overall"] == walk["judge"]
    assert list((stage / "artifacts" / walk["run"] / "artifacts").glob("*.png"))
    assert not left(stage, walk["run"], "features.json")[BASELINE]["useless"]
    figures = MlflowClient().get_run(walk["run"]).data.metrics
    assert (
        figures["holdout_log_loss"] == walk["judge"]["candidate"]["log_loss"] < walk["judge"]["mean"]["log_loss"]
    )


def test_the_version_names_the_model_and_its_snapshot(walk: dict[str, Any]) -> None:
    (version,) = models.versions()
    assert (str(version.version), version.run_id) == (walk["register"], walk["run"])
    assert version.tags["snapshot"] == walk["take_snapshot"]


def test_who_is_forgotten_is_left_out_of_an_earlier_snapshot_too(
    walk: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before = pd.read_parquet(walk["validate"])
    about = (before[WHO] == before.loc[0, WHO]).all(axis=1)
    shutil.copytree(paths.DATA, tmp_path / "data")
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    rules.forget(" ".join(map(str, before.loc[0, WHO])), paths.DATA)
    after = pd.read_parquet(tasks.restore_snapshot.fn("another", walk["take_snapshot"]))
    pd.testing.assert_frame_equal(after.reset_index(drop=True), before[~about].reset_index(drop=True))


def test_wrong_data_goes_no_further_than_validation(stage: Path, walk: dict[str, Any]) -> None:
    day = stage / "data" / ROWS / "2013-03-28.parquet"
    right = day.read_bytes()
    pd.read_parquet(day).assign(**OUT_OF_RANGE).to_parquet(day, index=False)
    with mlflow.start_run() as active, pytest.raises(InvalidDataError, match=NUMBER):
        tasks.validate.fn(active.info.run_id, None, 7)
    day.write_bytes(right)
    assert left(stage, active.info.run_id, "validation.json")["problems"][0]["column"] == NUMBER
    assert not (stage / "runs" / active.info.run_id).exists()
