"""The gates that try the package out: does it say what was trained, load alone, serve, and serve fast?"""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd

from ..data.features import make_features
from ..data.schema import Flight
from ..training.model import late_probability
from .model_gates import Evidence, Finding

LARGEST_DIFFERENCE = 1e-6  # in probability, between what was trained and what serves
PEAK_MB = 300.0
SLOWEST = 2.0  # times the champion's, beyond SLACK_MS
SLACK_MS = 5.0
SECONDS = 120.0  # for loading and measuring
FEWEST_PER_SECOND = 1_000.0  # of the first model, which has nothing beside it


def features_agree(evidence: Evidence) -> Finding:
    """Training and serving compute the same features from the same flights."""
    table = evidence.recent.tail(1000).drop(columns="arrival_delay")
    trained, served = make_features(table), make_features(as_requested(table))
    for name, column in trained.items():
        if column.dtype == object:
            same = bool((column == served[name]).all())
        else:
            same = bool(np.allclose(column, served[name], rtol=0, atol=1e-9, equal_nan=True))
        if not same:
            return False, f"{name} differs between training and serving"
    return True, f"{len(trained)} features agree to 1e-9 on {len(table):,} flights"


def conversion_agrees(evidence: Evidence) -> Finding:
    """The package answers what the trained pipeline answers."""
    table = pd.concat([evidence.past, evidence.recent]).tail(10_000)
    answers = evidence.artefact.answer(make_features(table))
    largest = float(np.abs(answers - late_probability(evidence.candidate, table)).max())
    return largest <= LARGEST_DIFFERENCE, f"largest difference {largest:.1e} on {len(table):,} flights"


def contract_agrees(evidence: Evidence) -> Finding:
    """The package takes exactly the features the application gives."""
    given = {
        name: "string" if column.dtype == object else "float"
        for name, column in make_features(evidence.recent.head(1)).items()
    }
    taken = {
        each.name: "string" if "string" in each.type else "float"
        for each in evidence.artefact.session.get_inputs()
    }
    differing = sorted(set(given.items()) ^ set(taken.items()))
    return not differing, f"{len(given)} inputs agree" if not differing else f"they differ in {differing[0][0]!r}"


def loads_alone(evidence: Evidence) -> Finding:
    """Loads and answers in a process that has only what serves, inside a memory limit."""
    measured = evidence.measured
    if "error" in measured:
        return False, measured["error"]
    return measured["peak_mb"] <= PEAK_MB, f"peak {measured['peak_mb']:.0f} MB of {PEAK_MB:.0f}"


def fast_enough(evidence: Evidence) -> Finding:
    """About as fast as what serves, for one flight and for many, on the same machine in the same run."""
    measured = evidence.measured
    if "error" in measured:
        return False, measured["error"]
    mine, *others = measured["speed"]
    limit = SLOWEST * others[0]["p95_ms"] + SLACK_MS if others else 2 * SLACK_MS
    fewest = others[0]["flights_per_second"] / SLOWEST if others else FEWEST_PER_SECOND
    return (
        mine["p95_ms"] <= limit and mine["flights_per_second"] >= fewest,
        f"p95 {mine['p95_ms']:.3f} ms a flight, limit {limit:.3f}; "
        f"{mine['flights_per_second']:,.0f} flights a second, at least {fewest:,.0f}",
    )


def passes_tests(evidence: Evidence) -> Finding:
    """The level's tests pass, and their report is about this package."""
    tests = evidence.tests
    if tests.failed:
        return (
            False,
            f"{len(tests.failed)} of {tests.passed + len(tests.failed)} failed: {'; '.join(tests.failed[:3])}",
        )
    if tests.package != evidence.artefact.digest:
        return False, f"their report is about {tests.package[:12] or 'no package'}"
    return tests.passed > 0, f"{tests.passed} tests, report {tests.sha256[:12]}"


def answers_golden_requests(evidence: Evidence) -> Finding:
    """The staged service answers the golden requests with the golden answers."""
    golden = evidence.artefact.description["golden"]
    door = f"{os.environ['STAGING']}/predict"
    answer = httpx.post(door, json={"flights": [each["flight"] for each in golden]}, timeout=30)
    if not answer.is_success:
        return False, f"staging answered {answer.status_code}: {answer.text[:200]}"
    given = answer.json()["predictions"]
    errors = [abs(a["late_probability"] - b["late_probability"]) for a, b in zip(given, golden, strict=True)]
    named = {each["model"].partition("@")[2] for each in given}
    if named != {evidence.artefact.digest[:12]}:
        return False, f"staging answered as {named}, not as {evidence.artefact.digest[:12]}"
    return max(errors) <= LARGEST_DIFFERENCE, f"{len(golden)} requests, largest difference {max(errors):.1e}"


def as_requested(table: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the flights as columns, after a way through JSON and the schema like a request's."""
    flights = [
        Flight.model_validate(each) for each in json.loads(table.to_json(orient="records", date_format="iso"))
    ]
    return {name: [getattr(flight, name) for flight in flights] for name in Flight.model_fields}


def probe(package: tuple[Path, str], champion: tuple[Path, str] | None) -> dict[str, Any]:
    """Measure a package (folder and digest), beside the champion's, where nothing is installed but what serves."""
    named = [str(each) for each in (*package, *(champion or ()))]
    command = [os.environ["SERVING"], "-m", f"{__package__}.benchmark", *named]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return {"error": f"was not done within {SECONDS:.0f} s"}
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["died without a word"])[-1][:300]}
    measured: dict[str, Any] = json.loads(done.stdout)
    return measured
