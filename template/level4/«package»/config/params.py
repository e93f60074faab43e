"""The parameters of the pipeline, and the fingerprint of the environment that it runs in."""

import hashlib
from typing import Literal

from pydantic import Field

from .settings import Settings, SettingsFile, read_settings
from .version import PACKAGE, ROOT

PARAMS = PACKAGE / "params.yaml"
LOCK = ROOT / "requirements.lock"


class ModelParams(Settings):
    """The hyperparameters of the model, as scikit-learn names them."""

    learning_rate: float = Field(gt=0)
    max_iter: int = Field(gt=0)
    max_leaf_nodes: int = Field(gt=1)
    min_samples_leaf: int = Field(gt=0)
    max_features: float = Field(gt=0, le=1)
    random_state: int


class ExperimentParams(Settings):
    """The A/B test, fixed before it begins."""

    days: int = Field(gt=0)
    challenger_share: float = Field(gt=0, le=1)


class Params(SettingsFile):
    """params.yaml."""

    model: ModelParams
    holdout_days: int = Field(gt=0)
    experiment: ExperimentParams
    approval: Literal["automatic", "manual"]
    search: dict[str, list[int | float]]  # by hyperparameter: the values to try


def read_params() -> Params:
    """Return params.yaml."""
    return read_settings(PARAMS, Params)


def lock_hash() -> str:
    """Return the SHA-256 of the lock that the environment was installed from."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()
