"""Load packages with nothing but what serves, answer with each, and say what it took.

Run in a process of its own, in the serving environment:
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
from ..data.schema import Flight
from ..registry.artifact import Artefact, load

MEMORY_LIMIT = 4 * 2**30  # bytes of address space; of these a loaded model uses some hundred million
ROUNDS, SECONDS = 300, 5.0  # single flights, or as many as fit: a slow package must not hold the line
BATCH, BATCHES = 1_000, 20  # flights, and how often


def features_of(flights: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Compute features the way a request's are: through the schema, column by column."""
    asked = [Flight.model_validate(flight) for flight in flights]
    return make_features({name: [getattr(flight, name) for flight in asked] for name in Flight.model_fields})


def measure(artefacts: list[Artefact]) -> list[dict[str, float]]:
    """Return how long each artefact takes for a flight, and how many flights it answers in a second.

    Of the many, the best turn counts: what else a machine does can only slow a turn down.
    """
    flights = [golden["flight"] for golden in artefacts[0].description["golden"]]
    singles = turn_by_turn(artefacts, features_of(flights[:1]), ROUNDS)
    batches = turn_by_turn(artefacts, features_of((flights * BATCH)[:BATCH]), BATCHES)
    return [
        {"p95_ms": float(np.percentile(single, 95) * 1e3), "flights_per_second": BATCH / min(batch)}
        for single, batch in zip(singles, batches, strict=True)
    ]


def turn_by_turn(artefacts: list[Artefact], features: dict[str, np.ndarray], rounds: int) -> list[list[float]]:
    """Return each artefact's seconds per answer, in turns, so that a busy machine is unfair to none."""
    seconds: list[list[float]] = [[] for _ in artefacts]
    end = time.perf_counter() + SECONDS
    for done in range(rounds):
        if done and time.perf_counter() > end:
            break
        for artefact, times in zip(artefacts, seconds, strict=True):
            start = time.perf_counter()
            artefact.answer(features)
            times.append(time.perf_counter() - start)
    return seconds


def peak_mb() -> float:
    """Return the most memory this process has held; what it was forked from does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes where there is no /proc


def main() -> None:
    """Print one JSON object."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    pairs = zip(sys.argv[1::2], sys.argv[2::2], strict=True)
    artefacts = [load(Path(folder), digest) for folder, digest in pairs]
    golden = artefacts[0].description["golden"]
    answers = artefacts[0].answer(features_of([each["flight"] for each in golden]))
    errors = np.abs(answers - [each["late_probability"] for each in golden])
    print(
        json.dumps(
            {
                "golden_error": float(errors.max()),
                "peak_mb": peak_mb(),
                "speed": measure(artefacts),
            }
        )
    )


if __name__ == "__main__":
    main()
