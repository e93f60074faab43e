"""A packaged model: where it is stored, how it is fetched and loaded; ONNX Runtime alone is enough to serve it."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read once, while it is imported
import onnxruntime as ort

from ..config.files import replacing
from ..errors import StageError

MODEL, DESCRIPTION = "model.onnx", "package.json"  # the files of a package
# A package is stored with the training run of its version: in the artifact store of the tracking server, which an
# option of that server names. A service fetches it into a folder of its own machine, named by the digest.
STORED_AS = "package"


class BrokenArtifactError(StageError):
    """The folder does not hold what its digest says, or cannot be loaded."""


@dataclass(frozen=True)
class Artifact:
    """A model that is loaded and can predict."""

    digest: str
    description: dict[str, Any]
    session: ort.InferenceSession

    def predict(self, features: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return each row's prediction, given columns of equal length."""
        columns = {name: features[name].reshape(-1, 1) for name in self.description["inputs"]}
«% if kind == "binary" %»
        label: np.ndarray = self.session.run(["probabilities"], columns)[0][:, 1]
«% else %»
        label: np.ndarray = self.session.run(["variable"], columns)[0][:, 0]
«% endif %»
        return label.astype(float)


def digest_of(folder: Path) -> str:
    """Return the SHA-256 over the names and contents of a package's files."""
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()} {name}" for name in (MODEL, DESCRIPTION)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def fetch(server: str, run: str, folder: Path, digest: str) -> Artifact:
    """Download the package of a training run, and load it.

    Args:
        server: the address of the tracking server.
        run: the id of the run.
        folder: where to keep it.
        digest: what it must be.

    Raises:
        BrokenArtifactError: the package is not the one of this digest, or does not load.
        httpx.HTTPError: the server does not answer, or has no package of this run.
    """
    for name in (MODEL, DESCRIPTION):
        with replacing(folder / name) as part:
            part.write_bytes(read_stored(server, run, f"{STORED_AS}/{name}"))
    return load(folder, digest)


def read_stored(server: str, run: str, path: str) -> bytes:
    """Return a file that is stored with a training run."""
    answer = httpx.get(f"{server}/get-artifact", params={"run_uuid": run, "path": path}, timeout=30)
    answer.raise_for_status()
    return answer.content


def load(folder: Path, digest: str) -> Artifact:
    """Load a package.

    Raises:
        BrokenArtifactError: a file is missing, a byte was changed, or the model does not load.
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
