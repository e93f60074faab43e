"""Benchmark packages in the serving environment: load each, predict with it, and measure time and memory.

Runs in a process of its own:
`python -m PACKAGE.delivery.benchmark FOLDER DIGEST [FOLDER DIGEST]`.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from ..data.features import make_features
from ..data.schema import Instance
from ..registry.artifact import Artifact, load

MEMORY_LIMIT = 4 * 2**30  # bytes of address space; of these a loaded model uses some hundred million
ROUNDS, SECONDS = 300, 5.0  # predictions of one instance; a slow package makes as many as fit into the time
BATCH, BATCHES = 1_000, 20  # instances, and how often


def features_of(instances: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Compute features as for a request: through the schema, column by column."""
    requested = [Instance.model_validate(instance) for instance in instances]
    return make_features({name: [getattr(instance, name) for instance in requested] for name in Instance.model_fields})


def measure(artifacts: list[Artifact]) -> list[dict[str, float]]:
    """Return the latency of each artifact for one instance, and its throughput in instances per second.

    The best round counts for the throughput: other work on the machine can only slow a round down.
    """
    instances = [golden["instance"] for golden in artifacts[0].description["golden"]]
    singles = time_in_turns(artifacts, features_of(instances[:1]), ROUNDS)
    batches = time_in_turns(artifacts, features_of((instances * BATCH)[:BATCH]), BATCHES)
    return [
        {"p95_ms": float(np.percentile(single, 95) * 1e3), "instances_per_second": BATCH / min(batch)}
        for single, batch in zip(singles, batches, strict=True)
    ]


def time_in_turns(artifacts: list[Artifact], features: dict[str, np.ndarray], rounds: int) -> list[list[float]]:
    """Return each artifact's seconds per prediction; they take turns, so that a busy machine is fair to all."""
    seconds: list[list[float]] = [[] for _ in artifacts]
    end = time.perf_counter() + SECONDS
    for done in range(rounds):
        if done and time.perf_counter() > end:
            break
        for artifact, times in zip(artifacts, seconds, strict=True):
            start = time.perf_counter()
            artifact.predict(features)
            times.append(time.perf_counter() - start)
    return seconds


def peak_mb() -> float:
    """Return the peak memory of this process in MB, without that of the process it was forked from."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes where there is no /proc


def main() -> None:
    """Print one JSON object."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    pairs = zip(sys.argv[1::2], sys.argv[2::2], strict=True)
    artifacts = [load(Path(folder), digest) for folder, digest in pairs]
    golden = artifacts[0].description["golden"]
    predictions = artifacts[0].predict(features_of([request["instance"] for request in golden]))
    errors = np.abs(predictions - [request["«prediction»"] for request in golden])
    print(
        json.dumps(
            {
                "golden_error": float(errors.max()),
                "peak_mb": peak_mb(),
                "speed": measure(artifacts),
            }
        )
    )


if __name__ == "__main__":
    main()
