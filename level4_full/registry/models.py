"""The model registry: which models there are, and which one serves."""

from importlib.metadata import version as installed
from typing import Any

import mlflow
import mlflow.sklearn
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from sklearn.pipeline import Pipeline

from ..errors import StageError

MODEL = "flight-delays"
CHAMPION = "champion"  # the alias of the version that serves
NOTHING_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
# Models are stored with skops: no pickle is loaded, and only the types named here are built.
TRUSTED_TYPES = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
PACKAGES = ["scikit-learn", "skops", "pandas", "numpy"]


class NoVersionError(StageError):
    """There is no such version."""


def log_model(model: Pipeline, features: pd.DataFrame) -> str:
    """Store the model in the active run with its signature; return its address for `load`."""
    logged = mlflow.sklearn.log_model(
        model,
        name="model",
        serialization_format="skops",
        skops_trusted_types=TRUSTED_TYPES,
        signature=infer_signature(features, model.predict_proba(features)),
        pip_requirements=[f"{package}=={installed(package)}" for package in PACKAGES],
    )
    return str(logged.model_uri)


def load(uri: str) -> Pipeline:
    """Return a stored model."""
    return mlflow.sklearn.load_model(uri)


def register(uri: str, tags: dict[str, Any]) -> str:
    """Give a stored model the next version number; a version is never changed afterwards."""
    return str(mlflow.register_model(uri, MODEL, tags=tags).version)


def champion() -> ModelVersion | None:
    """Return the version that serves, or None before the first release."""
    try:
        return MlflowClient().get_model_version_by_alias(MODEL, CHAMPION)
    except MlflowException as error:
        if error.error_code in NOTHING_THERE:
            return None
        raise


def set_alias(alias: str, version: str) -> None:
    """Point an alias at a version."""
    MlflowClient().set_registered_model_alias(MODEL, alias, version)


def delete_alias(alias: str) -> None:
    """Point an alias at nothing."""
    MlflowClient().delete_registered_model_alias(MODEL, alias)


def version_of(alias: str) -> str | None:
    """Return the version an alias points at."""
    version = MlflowClient().get_registered_model(MODEL).aliases.get(alias)
    return str(version) if version else None


def tags() -> dict[str, str]:
    """Return the tags of the model as a whole: traffic share and experiment."""
    return dict(MlflowClient().get_registered_model(MODEL).tags)


def version(number: str) -> ModelVersion:
    """Return a registered version.

    Raises:
        NoVersionError: there is none of this number.
    """
    try:
        return MlflowClient().get_model_version(MODEL, number)
    except MlflowException as error:
        if error.error_code in NOTHING_THERE:
            raise NoVersionError(f"there is no version {number!r}: see those there are with `models`") from error
        raise


def number_of(model: str) -> str:
    """Return the version in a model's name: 2 in `flight-delays/2@0123456789ab`."""
    return model.partition("/")[2].partition("@")[0]


def versions() -> list[ModelVersion]:
    """Return all registered versions, oldest first."""
    return sorted(MlflowClient().search_model_versions(f"name='{MODEL}'"), key=lambda each: int(each.version))


def describe() -> str:
    """Return the versions as a table: log loss and AUC on the days held out, snapshot, commit."""
    serving = champion()
    lines = ["version  log loss  AUC     trained by  snapshot                          commit"]
    for each in versions():
        run = MlflowClient().get_run(each.run_id).data
        awaits = "  <- awaits approval" if each.tags.get("awaits") == "approval" else ""
        mark = "  <- champion" if serving and serving.version == each.version else awaits
        lines.append(
            f"{each.version:>7}  {run.metrics['holdout_log_loss']:.4f}    {run.metrics['holdout_auc']:.4f}  "
            f"{run.tags['trigger']:<10}  {each.tags['snapshot']}  {each.tags['commit']}{mark}"
        )
    return "\n".join(lines)
