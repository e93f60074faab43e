"""The package gates: does it predict as the trained model does, load alone, serve, and serve fast enough?"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

«% if kind == "binary" %»
from ..config.problem import OUTCOME
«% else %»
from ..config.problem import LABEL_SCALE, OUTCOME
«% endif %»
from ..data.features import make_features
from ..data.schema import Instance
from ..registry.artifact import Artifact
from ..training.model import «prediction»
from .acceptance import Report
from .model_gates import Finding

«% if kind == "binary" %»
MAX_DIFFERENCE = 1e-6  # in probability, between the trained model and the package
«% else %»
MAX_DIFFERENCE = 1e-4 * LABEL_SCALE  # between the trained model and the package
«% endif %»
PEAK_MB = 300.0
MAX_SLOWDOWN = 2.0  # times the champion's, beyond SLACK_MS
SLACK_MS = 5.0
SECONDS = 120.0  # for loading and measuring
MIN_INSTANCES_PER_SECOND = 1_000.0  # for the first model, which has no champion beside it


@dataclass(frozen=True)
class PackageEvidence:
    """What the package gates look at."""

    model: Pipeline  # that was packaged
    artifact: Artifact
    measured: dict[str, Any]  # the benchmark of the package and of the champion's
    tests: Report  # the acceptance tests, run against the staged package
    instances: pd.DataFrame  # the newest ones


def features_agree(evidence: PackageEvidence) -> Finding:
    """Training and serving compute the same features from the same instances."""
    table = evidence.instances.tail(1000).drop(columns=OUTCOME)
    trained, served = make_features(table), make_features(as_requested(table))
    for name, column in trained.items():
        if column.dtype == object:
            same = bool((column == served[name]).all())
        else:
            same = bool(np.allclose(column, served[name], rtol=0, atol=1e-9, equal_nan=True))
        if not same:
            return False, f"{name} differs between training and serving"
    return True, f"{len(trained)} features agree to 1e-9 on {len(table):,} instances"


def conversion_agrees(evidence: PackageEvidence) -> Finding:
    """The package predicts what the trained pipeline predicts."""
    table = evidence.instances.tail(10_000)
    predictions = evidence.artifact.predict(make_features(table))
    largest = float(np.abs(predictions - «prediction»(evidence.model, table)).max())
    return largest <= MAX_DIFFERENCE, f"largest difference {largest:.1e} on {len(table):,} instances"


def contract_agrees(evidence: PackageEvidence) -> Finding:
    """The package takes exactly the features the application gives."""
    given = {
        name: "string" if column.dtype == object else "float"
        for name, column in make_features(evidence.instances.head(1)).items()
    }
    taken = {
        taken.name: "string" if "string" in taken.type else "float"
        for taken in evidence.artifact.session.get_inputs()
    }
    differing = sorted(set(given.items()) ^ set(taken.items()))
    return not differing, f"{len(given)} inputs agree" if not differing else f"they differ in {differing[0][0]!r}"


def loads_alone(evidence: PackageEvidence) -> Finding:
    """The package loads and predicts in the serving environment, within a memory limit."""
    measured = evidence.measured
    if "error" in measured:
        return False, measured["error"]
    return measured["peak_mb"] <= PEAK_MB, f"peak {measured['peak_mb']:.0f} MB of {PEAK_MB:.0f}"


def fast_enough(evidence: PackageEvidence) -> Finding:
    """The package is about as fast as the champion, for one instance and for many, measured in the same run."""
    measured = evidence.measured
    if "error" in measured:
        return False, measured["error"]
    mine, *others = measured["speed"]
    limit = MAX_SLOWDOWN * others[0]["p95_ms"] + SLACK_MS if others else 2 * SLACK_MS
    fewest = others[0]["instances_per_second"] / MAX_SLOWDOWN if others else MIN_INSTANCES_PER_SECOND
    return (
        mine["p95_ms"] <= limit and mine["instances_per_second"] >= fewest,
        f"p95 {mine['p95_ms']:.3f} ms an instance, limit {limit:.3f}; "
        f"{mine['instances_per_second']:,.0f} instances a second, at least {fewest:,.0f}",
    )


def passes_tests(evidence: PackageEvidence) -> Finding:
    """The acceptance tests pass, and their report is about this package."""
    tests = evidence.tests
    if tests.failed:
        return (
            False,
            f"{len(tests.failed)} of {tests.passed + len(tests.failed)} failed: {'; '.join(tests.failed[:3])}",
        )
    if tests.package != evidence.artifact.digest:
        return False, f"their report is about {tests.package[:12] or 'no package'}"
    return tests.passed > 0, f"{tests.passed} tests, report {tests.sha256[:12]}"


def answers_golden_requests(evidence: PackageEvidence) -> Finding:
    """The staged service returns the golden predictions for the golden requests."""
    golden = evidence.artifact.description["golden"]
    endpoint = f"{os.environ['STAGING']}/predict"
    response = httpx.post(endpoint, json={"instances": [request["instance"] for request in golden]}, timeout=30)
    if not response.is_success:
        return False, f"staging answered {response.status_code}: {response.text[:200]}"
    predictions = response.json()["predictions"]
    errors = [abs(a["«prediction»"] - b["«prediction»"]) for a, b in zip(predictions, golden, strict=True)]
    digests = {prediction["model"].partition("@")[2] for prediction in predictions}
    if digests != {evidence.artifact.digest[:12]}:
        return False, f"staging serves {digests}, not {evidence.artifact.digest[:12]}"
    return max(errors) <= MAX_DIFFERENCE, f"{len(golden)} requests, largest difference {max(errors):.1e}"


def staging_is_production(_: PackageEvidence) -> Finding:
    """Staging, where the package was tried out, runs the same code as production, by its hash."""
    staged = _code_of(os.environ["STAGING"])
    try:
        serving = _code_of(os.environ["APPLICATION"])
    except httpx.TransportError:  # then nothing is released to it either
        return True, f"staging runs {staged}; production does not answer"
    return staged == serving, f"staging runs {staged}, production {serving}"


def _code_of(address: str) -> str:
    return str(httpx.get(f"{address}/version", timeout=5).raise_for_status().json()["code"])


def as_requested(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the instances as columns, sent through JSON and the schema as a request is."""
    records = json.loads(table.to_json(orient="records", date_format="iso"))
    instances = [Instance.model_validate(record) for record in records]
    return {name: [getattr(instance, name) for instance in instances] for name in Instance.model_fields}


def run_benchmark(package: tuple[Path, str], champion: tuple[Path, str] | None) -> dict[str, Any]:
    """Benchmark a package (folder and digest) beside that of the champion, in the serving environment."""
    packages = [str(part) for part in (*package, *(champion or ()))]
    command = [os.environ["SERVING"], "-m", f"{__package__}.benchmark", *packages]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"it was not ready within {SECONDS:.0f} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["it ended without a message"])[-1][:300]}
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured
