"""BentoML's own endpoints, typed, with and without adaptive batching; they neither route nor log."""

import os
from pathlib import Path

import bentoml

from level3_deployment.data.features import make_features
from level3_deployment.data.schema import Flight
from level3_deployment.registry.artifact import Artifact, digest_of, load

QUIET = {  # as the level has it
    "metrics": {"enabled": False},
    "logging": {"access": {"enabled": False}},
    "tracing": {"excluded_urls": ".*"},
}


def load_package() -> Artifact:
    """Load the package that the environment names."""
    folder = Path(os.environ["PACKAGE"])
    return load(folder, digest_of(folder))


def predict(artifact: Artifact, flights: list[Flight]) -> list[float]:
    """Return each flight's probability of arriving late."""
    columns = {name: [getattr(flight, name) for flight in flights] for name in Flight.model_fields}
    return list(artifact.predict(make_features(columns)).tolist())


@bentoml.service(name="typed", **QUIET)
class Typed:
    """One call of the model a request."""

    def __init__(self) -> None:
        self.artifact = load_package()

    @bentoml.api
    def predict(self, flights: list[Flight]) -> list[float]:
        """Return each flight's probability of arriving late."""
        return predict(self.artifact, flights)


@bentoml.service(name="batched", **QUIET)
class Batched:
    """One call of the model for the requests of a moment."""

    def __init__(self) -> None:
        self.artifact = load_package()

    @bentoml.api(batchable=True, max_batch_size=10_000, max_latency_ms=100)
    def predict(self, flights: list[Flight]) -> list[float]:
        """Return each flight's probability of arriving late."""
        return predict(self.artifact, flights)


@bentoml.service(name="two-workers", workers=2, **QUIET)
class Workers(Typed.inner):  # type: ignore[misc, name-defined]
    """The same in two processes."""
