"""The recipe of a model: all that people chose about it. Trained again on newer data, it stays the same."""

import hashlib
from pathlib import Path

from ..config import problem
from ..config.params import ModelParams
from ..data import features
from . import model, train


def recipe_of(params: ModelParams) -> str:
    """Return a hash of the problem, the code of features, label and training, and the hyperparameters."""
    sources = [Path(str(module.__file__)).read_bytes() for module in (problem, features, model, train)]
    return hashlib.sha256(b"".join(sources) + params.model_dump_json().encode()).hexdigest()[:12]
