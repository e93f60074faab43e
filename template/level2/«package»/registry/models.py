"""The model registry: which versions there are, and which one serves."""

from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import mlflow.sklearn
import pandas as pd
import skops.io
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from ..config.problem import NAME
from ..errors import RefusedError, StageError

CHAMPION = "champion"  # the alias of the version that serves
# Models are stored with skops: no pickle is loaded, and only the types named here are built.
TRUSTED_TYPES = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
SKOPS = "model.skops"
MADE_HERE = {"snapshot", "commit"}  # tags that the training gives a version
REQUIREMENTS = ["scikit-learn", "skops", "pandas", "numpy"]


class NotMadeHereError(RefusedError):
    """A model or a version is not from this project's training."""


class NoVersionError(StageError):
    """There is no such version."""


def log_model(model: Pipeline, features: pd.DataFrame) -> str:
    """Store the model in the active run with its signature; return its address for `load`."""
    logged = mlflow.sklearn.log_model(
        model,
        name="model",
        serialization_format="skops",
        skops_trusted_types=TRUSTED_TYPES,
«% if kind == "binary" %»
        signature=infer_signature(features, model.predict_proba(features)),
«% else %»
        signature=infer_signature(features, model.predict(features)),
«% endif %»
        pip_requirements=[f"{package}=={installed(package)}" for package in REQUIREMENTS],
    )
    return str(logged.model_uri)


def load(uri: str) -> Pipeline:
    """Return a stored model. Only skops opens it, whatever else lies beside it: anybody can register anything.

    Raises:
        NotMadeHereError: `log_model` has not stored it.
    """
    with TemporaryDirectory() as folder:
        stored = Path(mlflow.artifacts.download_artifacts(uri, dst_path=folder), SKOPS)
        if not stored.exists():
            raise NotMadeHereError(f"{uri} holds no {SKOPS}: no training of this project has stored it")
        try:
            return skops.io.load(stored, trusted=TRUSTED_TYPES)
        except UntrustedTypesFoundException as error:
            raise NotMadeHereError(f"{uri} cannot be trusted: {error}") from error


def check_made_here(version: ModelVersion) -> None:
    """Check that a training of this project has registered a version.

    Raises:
        NotMadeHereError: something else has.
    """
    if not version.run_id or not version.tags.keys() >= MADE_HERE:
        raise NotMadeHereError(f"version {version.version} was not registered by a training of this project")


def register(uri: str, tags: dict[str, Any]) -> str:
    """Give a stored model the next version number; a version is never changed afterwards."""
    return str(mlflow.register_model(uri, NAME, tags=tags).version)


def champion() -> ModelVersion | None:
    """Return the version that serves, or None before the first release."""
    try:
        return MlflowClient().get_model_version_by_alias(NAME, CHAMPION)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def release(version: str) -> str:
    """Make `version`, or the `latest`, the one that serves, and return it; earlier ones the same way.

    Raises:
        NoVersionError: the registry does not hold it.
        NotMadeHereError: it is not from a training of this project.
    """
    registered = [str(entry.version) for entry in versions()]
    chosen = registered[-1] if version == "latest" and registered else version
    if chosen not in registered:
        raise NoVersionError(
            f"there is no version {version}: the registry holds {', '.join(registered) or 'none yet'}"
        )
    check_made_here(MlflowClient().get_model_version(NAME, chosen))
    MlflowClient().set_registered_model_alias(NAME, CHAMPION, chosen)
    return chosen


def versions() -> list[ModelVersion]:
    """Return all registered versions, oldest first."""
    return sorted(MlflowClient().search_model_versions(f"name='{NAME}'"), key=lambda version: int(version.version))


def describe() -> str:
«% if kind == "binary" %»
    """Return the versions as a table: loss and AUC on the held-out days, snapshot, commit, and who serves.
«% else %»
    """Return the versions as a table: squared error (1: one usual deviation) and R2 on the held-out days, snapshot, commit, and who serves.
«% endif %»

    `against champion`: the loss minus that of the champion of that day, with its 95 % interval; one that
    holds 0 says nothing about which of the two is better.
    """
    serving = champion()
    lines = [
«% if kind == "binary" %»
        "version  loss  held-out days             against champion  AUC     trained by  "
«% else %»
        "version  loss  held-out days             against champion  R2      trained by  "
«% endif %»
        "snapshot                          commit"
    ]
    for version in versions():
        if not version.tags.keys() >= MADE_HERE:
            lines.append(f"{version.version:>7}  not from a training of this project")
            continue
        run = MlflowClient().get_run(version.run_id).data
        mark = "  <- champion" if serving and serving.version == version.version else ""
        lines.append(
            f"{version.version:>7}  {run.metrics['holdout_«loss»']:.4f}    {run.tags.get('held_out', ''):<24}  "
            f"{run.tags.get('against_champion', ''):<16}  {run.metrics['holdout_«second»']:.4f}  "
            f"{run.tags['trigger']:<10}  {version.tags['snapshot']}  {version.tags['commit']}{mark}"
        )
    return "\n".join(lines)
