"""A packaged model: a folder named by the digest of its content, served with ONNX Runtime alone."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read once, while it is imported
import onnxruntime as ort

from ..errors import StageError

MODEL, DESCRIPTION = "model.onnx", "package.json"


class BrokenArtifactError(StageError):
    """The folder does not hold what its digest says, or cannot be loaded."""


@dataclass(frozen=True)
class Artifact:
    """A model that is loaded and can predict."""

    digest: str
    description: dict[str, Any]
    session: ort.InferenceSession

    def predict(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return each row's probability of arriving late, given columns of equal length."""
        columns = {name: features[name].reshape(-1, 1) for name in self.description["inputs"]}
        late: np.ndarray = self.session.run(["probabilities"], columns)[0][:, 1]
        return late.astype(float)


def digest_of(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of a package's files."""
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()} {name}" for name in (MODEL, DESCRIPTION)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def load(folder: Path, digest: str) -> Artifact:
    """Load a package.

    Raises:
        BrokenArtefactError: a file is missing, a byte was changed, or the model does not load.
    """
    try:
        actual = digest_of(folder)
        if actual != digest:
            raise BrokenArtifactError(
                f"{folder} has the digest {actual[:12]}, not {digest[:12]}: it was changed, package it again"
            )
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1  # one request, one core: the others have requests of their own
        session = ort.InferenceSession(folder / MODEL, options, providers=["CPUExecutionProvider"])
        return Artifact(digest, json.loads((folder / DESCRIPTION).read_text()), session)
    except BrokenArtifactError:
        raise
    except Exception as error:
        raise BrokenArtifactError(f"{folder} does not load: {error}") from error
