"""The replay of a simulation: what each of its models says about every flight, from the input as it really was.

It happens once the last day is over, outside the stage: no level logs, counts or compares these predictions. What
a model says here and what its level answered differ by what went wrong between the flights and the answer, and
two models can be compared on the same flights, whichever of them had the traffic.
"""

import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..base import StageError
from ..stack.stage import TELEMETRY_OFF
from ..stack.tracking import Tracking
from ..world.dataset import WEATHER

Predict = Callable[[pd.DataFrame], np.ndarray]
KEPT = "models"  # the folder of a simulation for the models that are files
PACKAGE = "package/model.onnx"  # where a level keeps a packaged model, among the files of its training run


def keep(model: Path, folder: Path) -> None:
    """Keep a copy of a model's file, named as levels name it: the next training writes over the file."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(model, folder / hashlib.sha256(model.read_bytes()).hexdigest()[:12])


def replay(names: list[str], flights: pd.DataFrame, kept: Path, tracking: Tracking) -> pd.DataFrame:
    """Return each model's probability for each flight: a row for each flight id, a column for each name.

    Args:
        names: of models, as the level's answers have them.
        flights: as the upstream should have published them.
        kept: the folder with the copies of models that are files.
        tracking: the server that has all the others.
    """
    columns = features(flights)
    late = {name: _load(name, kept, tracking)(columns).astype(np.float32) for name in names}
    return pd.DataFrame(late, index=pd.Index(flights["flight_id"], name="flight_id"))


def features(flights: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that the models of all levels see: computed here once more, on purpose.

    A level may have computed them wrongly, which is one of the things that the replay shows.
    """
    departure = flights["scheduled_departure"]
    columns = flights[["origin", "dest", "carrier", "distance", *WEATHER]].assign(
        minute_of_day=departure.dt.hour * 60 + departure.dt.minute, weekday=departure.dt.weekday
    )
    return columns.astype(dict.fromkeys(columns.columns[3:], np.float32))


def _load(name: str, kept: Path, tracking: Tracking) -> Predict:
    """Return the way a model predicts: as a file, as the package that served, or as it was registered.

    Raises:
        StageError: it is none of these any more.
    """
    if (kept / name).exists():
        return _of_pipeline(pickle.loads((kept / name).read_bytes()))  # noqa: S301 - it was trained here
    version = tracking.versions().get(name.rpartition("/")[2])
    if version is None:
        raise StageError(
            f"the model {name} answered, but is neither in {kept} nor registered: it cannot be replayed"
        )
    if package := tracking.content(version["run_id"], PACKAGE):
        return _of_package(package)
    os.environ |= TELEMETRY_OFF | {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    import mlflow.sklearn  # seconds, and only some levels need it

    mlflow.set_tracking_uri(tracking.address)
    return _of_pipeline(mlflow.sklearn.load_model(version["source"]))


def _of_pipeline(model: Any) -> Predict:
    return lambda columns: model.predict_proba(columns[list(model.feature_names_in_)])[:, 1]


def _of_package(package: bytes) -> Predict:
    import onnxruntime as ort

    session = ort.InferenceSession(package, providers=["CPUExecutionProvider"])
    names = [tensor.name for tensor in session.get_inputs()]

    def predict(columns: pd.DataFrame) -> np.ndarray:
        inputs = {name: columns[[name]].to_numpy() for name in names}
        return np.asarray(session.run(["probabilities"], inputs)[0])[:, 1]

    return predict
