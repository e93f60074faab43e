"""The model registry: which versions there are, and which one serves."""

import os
from importlib.metadata import version as installed
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import mlflow
import mlflow.sklearn
import pandas as pd
import skops.io
from mlflow import MlflowClient
from mlflow.entities import RunData
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from ..config import paths
from ..config.problem import NAME
from ..errors import RefusedError, StageError
from . import artifact
from .lifecycle import CROWNED, State, transitions

CHAMPION = "champion"  # the alias of the version that serves
NOTHING_THERE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
# Models are stored with skops: no pickle is loaded, and only the types named here are built.
TRUSTED_TYPES = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]
SKOPS = "model.skops"
EVENTS = {CHAMPION: CROWNED, "challenger": {State.CHALLENGER}}  # by alias, what gives it to a version
MADE_HERE = {"snapshot", "commit"}  # tags that the training gives a version
REQUIREMENTS = ["scikit-learn", "skops", "pandas", "numpy"]


class NoVersionError(StageError):
    """There is no such version."""


class NotMadeHereError(RefusedError):
    """A model or a version is not from this project's training."""


def log_model(model: Pipeline, features: pd.DataFrame, name: str = "model") -> str:
    """Store the model in the active run with its signature; return its address for `load`."""
    logged = mlflow.sklearn.log_model(
        model,
        name=name,
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
        if error.error_code in NOTHING_THERE:
            return None
        raise


def version_of(alias: str) -> str | None:
    """Return the version that an alias points at."""
    return _aliases().get(alias)


def set_alias(alias: str, version: str | None) -> None:
    """Point an alias at a version; None: at nothing."""
    if version is None:
        MlflowClient().delete_registered_model_alias(NAME, alias)
    else:
        MlflowClient().set_registered_model_alias(NAME, alias, version)


def _aliases() -> dict[str, str]:
    try:
        return {
            alias: str(version) for alias, version in MlflowClient().get_registered_model(NAME).aliases.items()
        }
    except MlflowException as error:
        if error.error_code in NOTHING_THERE:
            return {}
        raise


def tags() -> dict[str, str]:
    """Return the tags of the model as a whole: traffic share and experiment."""
    return dict(MlflowClient().get_registered_model(NAME).tags)


def tag_model(name: str, value: str) -> None:
    """Tag the model as a whole."""
    MlflowClient().set_registered_model_tag(NAME, name, value)


def tag(version: str, name: str, value: str) -> None:
    """Tag a version."""
    MlflowClient().set_model_version_tag(NAME, version, name, value)


def version(number: str) -> ModelVersion:
    """Return a registered version.

    Raises:
        NoVersionError: there is none of this number.
    """
    try:
        return MlflowClient().get_model_version(NAME, number)
    except MlflowException as error:
        if error.error_code in NOTHING_THERE:
            raise NoVersionError(f"there is no version {number!r}: list those there are with `models`") from error
        raise


def number_of(model: str) -> str:
    """Return the version in a model's name: 2 in `«name»/2@0123456789ab`."""
    return model.partition("/")[2].partition("@")[0]


def versions() -> list[ModelVersion]:
    """Return all registered versions, oldest first."""
    return sorted(MlflowClient().search_model_versions(f"name='{NAME}'"), key=lambda version: int(version.version))


def training_of(version: ModelVersion) -> RunData:
    """Return what the training run of a version logged: parameters, metrics, tags."""
    return MlflowClient().get_run(version.run_id).data


def served_as(version: ModelVersion) -> str:
    """Return the name that the predictions of a version carry: «name»/2@0123456789ab."""
    return f"{NAME}/{version.version}@{version.tags['digest'][:12]}"


def judged(version: ModelVersion) -> str:
    """Return the address of the model that a version was judged by: it was not trained on its held-out days."""
    return training_of(version).tags["judged"]


def package_of(version: ModelVersion) -> tuple[Path, str]:
    """Return the folder of a version's package and its digest; it is fetched if no service here has done so."""
    digest = version.tags["digest"]
    folder = paths.FETCHED / digest
    if not (folder / artifact.DESCRIPTION).exists():
        artifact.fetch(os.environ["MLFLOW_TRACKING_URI"], version.run_id, folder, digest)
    return folder, digest


def keep(version: ModelVersion, path: Path) -> None:
    """Keep a file, or a folder under its name, with the training run of a version."""
    if path.is_dir():
        MlflowClient().log_artifacts(version.run_id, str(path), path.name)
    else:
        MlflowClient().log_artifact(version.run_id, str(path))


def first_run_on(md5: str) -> str:
    """Return the run that took a snapshot: later runs on it did not read the raw files."""
    client = MlflowClient()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = client.search_runs(experiments, f"tags.snapshot = '{md5}'", order_by=["start_time ASC"], max_results=1)
    return str(runs[0].info.run_id)


def describe() -> str:
«% if kind == "binary" %»
    """Return the versions as a table: loss and AUC on the held-out days, snapshot, commit, and who serves.
«% else %»
    """Return the versions as a table: squared error (1: one usual deviation) and R2 on the held-out days, snapshot, commit, and who serves.
«% endif %»

    `against champion`: the loss minus that of the champion of that day, with its 95 % interval; one that
    holds 0 says nothing about which of the two is better.
    """
    serving = {version: alias for alias, version in _aliases().items() if alias != "staging"}
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
        run, past = training_of(version), transitions(str(version.version), version.tags)
        mark = serving.get(str(version.version), "")
        if mark in EVENTS and not (past and past[-1].state in EVENTS[mark]):
            mark += ", though nothing in its history made it that"
        if past and past[-1].state in (State.AWAITING_APPROVAL, State.REFUSED):
            mark = f"{past[-1].state}: {past[-1].why}"
        lines.append(
            f"{version.version:>7}  {run.metrics['holdout_«loss»']:.4f}    {run.tags.get('held_out', ''):<24}  "
            f"{run.tags.get('against_champion', ''):<16}  {run.metrics['holdout_«second»']:.4f}  "
            f"{run.tags['trigger']:<10}  {version.tags['snapshot']}  {version.tags['commit']}"
            f"{f'  <- {mark}' if mark else ''}"
        )
    return "\n".join(lines)
