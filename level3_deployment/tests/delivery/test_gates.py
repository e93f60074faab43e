"""Each gate that judges the model can pass, and can fail."""

import itertools
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pandas as pd
import pytest
from sklearn.pipeline import Pipeline

from ...delivery import benchmark, model_gates, package_gates
from ...delivery.acceptance import Report
from ...delivery.model_gates import Evidence
from ...delivery.package import package
from ...registry.artifact import MODEL, digest_of, load
from ...training.evaluate import slices
from ...training.train import train, train_baselines
from ..conftest import make_flights

PARAMS = {"max_iter": 40, "random_state": 0}
FAST = {"p95_ms": 1.0, "flights_per_second": 50_000.0}
MEASURED = {"peak_mb": 80.0, "speed": [FAST, FAST]}


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    """Return a good candidate that challenges one of the same kind."""
    table = make_flights(days=30, per_day=300).dropna(subset="arrival_delay").reset_index(drop=True)
    recent = table["scheduled_departure"] >= "2013-03-22"
    past, folder = table[~recent], tmp_path_factory.mktemp("package")
    candidate, champion = train(past, PARAMS), train(past, PARAMS | {"max_iter": 35})
    artifact = load(folder, package(candidate, table[recent], {}, folder))
    baselines = train_baselines(past)
    cuts = slices(table[recent])
    tests = Report(artifact.digest, "0123456789abcdef", 40, [])
    return Evidence(candidate, champion, baselines, artifact, MEASURED, tests, past, table[recent], cuts)


def flipped(table: pd.DataFrame, where: Any) -> Pipeline:
    """Train on labels that are turned around somewhere."""
    late = (table["arrival_delay"] >= 15) ^ where
    return train(table.assign(arrival_delay=np.where(late, 60.0, 0.0)), PARAMS)


QUALITY = [
    model_gates.beats_baselines,
    model_gates.not_worse_than_champion,
    model_gates.not_worse_in_any_slice,
    model_gates.calibrated,
]
PACKAGE = [
    package_gates.features_agree,
    package_gates.conversion_agrees,
    package_gates.contract_agrees,
    package_gates.passes_tests,
]


@pytest.mark.parametrize("gate", QUALITY + PACKAGE)
def test_a_good_candidate_passes(evidence: Evidence, gate: Any) -> None:
    passed, reason = gate(evidence)
    assert passed, reason


@pytest.mark.parametrize("gate", QUALITY)
def test_the_first_candidate_needs_no_champion(evidence: Evidence, gate: Any) -> None:
    assert gate(replace(evidence, champion=None))[0]


def test_labels_flipped_everywhere_are_refused_everywhere(evidence: Evidence) -> None:
    bad = replace(evidence, candidate=flipped(evidence.past, np.full(len(evidence.past), True)))
    assert not model_gates.beats_baselines(bad)[0]
    assert not model_gates.not_worse_than_champion(bad)[0]
    assert not model_gates.not_worse_in_any_slice(bad)[0]


@pytest.mark.parametrize(
    ("mean", "spread", "worse"),
    [
        (0.01, 0.1, True),
        (0.01, 1.0, False),  # a few flights decide nothing
        (0.001, 0.01, False),  # sure, and too little
    ],
)
def test_worse_is_what_is_worse_by_more_than_chance(mean: float, spread: float, worse: bool) -> None:
    extra = mean + spread * np.tile([-1.0, 1.0], 5_000)
    assert model_gates.significantly_worse(extra, 0.002) is worse


def test_one_bad_airport_is_named(evidence: Evidence) -> None:
    bad = replace(evidence, candidate=flipped(evidence.past, evidence.past["origin"] == "JFK"))
    passed, reason = model_gates.not_worse_in_any_slice(bad)
    assert not passed
    assert "origin JFK" in reason
    assert "origin LGA" not in reason


def test_a_candidate_that_always_expects_delays_is_not_calibrated(evidence: Evidence) -> None:
    gloomy = train(evidence.past.assign(arrival_delay=evidence.past["arrival_delay"] + 60), PARAMS)
    assert not model_gates.calibrated(replace(evidence, candidate=gloomy))[0]


def test_a_package_of_another_model_does_not_agree(evidence: Evidence) -> None:
    passed, reason = package_gates.conversion_agrees(replace(evidence, candidate=evidence.champion))
    assert not passed
    assert "largest difference" in reason


def test_a_renamed_input_is_named(evidence: Evidence, tmp_path: Path) -> None:
    package(evidence.candidate, evidence.recent, {}, tmp_path)
    model = onnx.load(tmp_path / MODEL)
    for tensor in model.graph.input:
        tensor.name = "temperature" if tensor.name == "temp" else tensor.name
    for node in model.graph.node:
        node.input[:] = ["temperature" if name == "temp" else name for name in node.input]
    onnx.save(model, tmp_path / MODEL)
    passed, reason = package_gates.contract_agrees(replace(evidence, artifact=load(tmp_path, digest_of(tmp_path))))
    assert not passed
    assert "temp" in reason


def test_a_feature_computed_otherwise_when_serving_is_named(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = package_gates.as_requested
    skewed = lambda table: served(table) | {"temp": [(t or 0) * 2 for t in served(table)["temp"]]}  # noqa: E731
    monkeypatch.setattr(package_gates, "as_requested", skewed)
    passed, reason = package_gates.features_agree(evidence)
    assert not passed
    assert "temp" in reason


@pytest.mark.parametrize(
    ("measured", "gate", "passes"),
    [
        (MEASURED, package_gates.fast_enough, True),
        (MEASURED | {"speed": [FAST | {"p95_ms": 51.0}, FAST]}, package_gates.fast_enough, False),
        (MEASURED | {"speed": [FAST | {"p95_ms": 51.0}]}, package_gates.fast_enough, False),
        (MEASURED | {"speed": [FAST | {"flights_per_second": 20_000.0}, FAST]}, package_gates.fast_enough, False),
        (MEASURED | {"speed": [FAST | {"flights_per_second": 900.0}]}, package_gates.fast_enough, False),
        (MEASURED, package_gates.loads_alone, True),
        (MEASURED | {"peak_mb": 5_000.0}, package_gates.loads_alone, False),
        ({"error": "ModuleNotFoundError: No module named 'x'"}, package_gates.loads_alone, False),
        ({"error": "killed"}, package_gates.fast_enough, False),
    ],
)
def test_what_the_probe_measures_decides(
    evidence: Evidence, measured: dict[str, Any], gate: Any, passes: bool
) -> None:
    assert gate(replace(evidence, measured=measured))[0] is passes


def test_a_busy_machine_does_not_make_a_candidate_slow(
    evidence: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    class Timed:
        """Predicts nothing, and takes one of these seconds after the other."""

        description = evidence.artifact.description

        def __init__(self, *seconds: float) -> None:
            self.seconds = itertools.cycle(seconds)

        def predict(self, _: object) -> None:
            nonlocal now
            now += next(self.seconds)

    monkeypatch.setattr(benchmark, "time", SimpleNamespace(perf_counter=lambda: now))
    mine, theirs = benchmark.measure([Timed(0.001, 0.011, 0.011), Timed(0.001)])  # type: ignore[list-item]
    assert mine["flights_per_second"] > theirs["flights_per_second"] / package_gates.MAX_SLOWDOWN


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"failed": ["test_it (assert False)"]}, "1 of 41 failed: test_it"),
        ({"package": "f" * 64}, "about ffffffffffff"),
        ({"package": ""}, "about no package"),
        ({"passed": 0}, "0 tests"),
    ],
)
def test_a_release_without_passed_tests_of_its_own_is_refused(
    evidence: Evidence, changes: dict[str, Any], reason: str
) -> None:
    passed, given = package_gates.passes_tests(replace(evidence, tests=replace(evidence.tests, **changes)))
    assert not passed
    assert reason in given
