"""Each gate can pass, and can fail."""

import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import onnx
import pandas as pd
import pytest

from ...config.policy import read_policy
from ...config.problem import «threshold», OUTCOME, TIME
from ...delivery import benchmark, model_gates, package_gates
from ...delivery.acceptance import Report
from ...delivery.certify import MODEL_GATES, _find
from ...delivery.model_gates import ModelEvidence
from ...delivery.package import package
from ...delivery.package_gates import PackageEvidence
from ...registry.artifact import MODEL, digest_of, load
from ...training.evaluate import losses_of, slices
from ...training.model import label_of, «prediction»
from ...training.train import train
from ..conftest import make_instances
from ..example import CATEGORY, NUMBER

PARAMS = {"max_iter": 40, "random_state": 0}
FAST = {"p95_ms": 1.0, "instances_per_second": 50_000.0}
MEASURED = {"peak_mb": 80.0, "speed": [FAST, FAST]}


@dataclass(frozen=True)
class Trained:
    """A good candidate with the days that it was trained and judged on."""

    past: pd.DataFrame
    model: ModelEvidence
    package: PackageEvidence


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a good candidate that challenges one of the same kind."""
    table = make_instances(days=30, per_day=300).dropna(subset=OUTCOME).reset_index(drop=True)
    held_out = table[TIME] >= "2013-03-17"
    past, recent, folder = table[~held_out], table[held_out], tmp_path_factory.mktemp("package")
    candidate, champion = train(past, PARAMS), train(past, PARAMS | {"max_iter": 35})
    artifact = load(folder, package(candidate, recent, {}, folder))
    return Trained(
        past,
        ModelEvidence(
            recent=recent,
            candidate=«prediction»(candidate, recent),
            champion=«prediction»(champion, recent),
            slices=slices(recent),
            policy=read_policy().promotion,
        ),
        PackageEvidence(
            candidate, artifact, MEASURED, Report(artifact.digest, "0123456789abcdef", 40, []), recent
        ),
    )


@pytest.fixture
def evidence(trained: Trained) -> ModelEvidence:
    """Return what the model gates look at."""
    return trained.model


@pytest.fixture
def packaged(trained: Trained) -> PackageEvidence:
    """Return what the package gates look at."""
    return trained.package


def flipped(trained: Trained, where: Any) -> ModelEvidence:
    """Train on labels that are turned around somewhere."""
    label = (label_of(trained.past) == 1) ^ where
    model = train(trained.past.assign(**{OUTCOME: np.where(label, «threshold», 0.0)}), PARAMS)
    return replace(trained.model, candidate=«prediction»(model, trained.model.recent))


@pytest.mark.parametrize("gate", MODEL_GATES)
def test_a_good_candidate_passes(evidence: ModelEvidence, gate: Any) -> None:
    passed, reason = gate(evidence)
    assert passed, reason


PACKAGE = [
    package_gates.features_agree,
    package_gates.conversion_agrees,
    package_gates.contract_agrees,
    package_gates.passes_tests,
]


@pytest.mark.parametrize("gate", PACKAGE)
def test_a_good_package_passes(packaged: PackageEvidence, gate: Any) -> None:
    passed, reason = gate(packaged)
    assert passed, reason


@pytest.mark.parametrize("gate", MODEL_GATES)
def test_the_first_candidate_needs_no_champion(evidence: ModelEvidence, gate: Any) -> None:
    assert gate(replace(evidence, champion=None))[0]


def test_a_model_of_labels_flipped_everywhere_is_refused(trained: Trained) -> None:
    bad = flipped(trained, np.full(len(trained.past), True))
    assert not model_gates.not_worse_than_champion(bad)[0]


«% if kind == "binary" %»
def test_a_difference_that_days_do_not_bear_out_is_refused(evidence: ModelEvidence) -> None:
    """Half as good again on most days and far worse on two of them: nobody knows what comes next."""
    days = evidence.recent[TIME].dt.day.to_numpy()
    odd = np.isin(days, [20, 27])
    label = label_of(evidence.recent).to_numpy() == 1
    better, worse = np.where(label, 0.7, 0.3), np.where(label, 0.2, 0.8)
    champion = np.full(len(days), 0.5)
    uneven = replace(evidence, candidate=np.where(odd, worse, better), champion=champion)
    assert losses_of(uneven.candidate, label).mean() < np.log(2)
    assert not model_gates.not_worse_than_champion(uneven)[0]
    assert model_gates.not_worse_than_champion(replace(uneven, candidate=better))[0]
«% endif %»


def test_one_bad_slice_is_named(trained: Trained) -> None:
    bad = trained.past.groupby(CATEGORY)[OUTCOME].mean().idxmin()
    passed, reason = model_gates.no_slice_stands_out(flipped(trained, trained.past[CATEGORY] == bad))
    assert not passed
    assert f"{CATEGORY} {bad}" in reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda predicted: predicted + 0.2, "mean prediction moved +0.2"),
        (lambda predicted: 2 * predicted.mean() - predicted, "surely below"),
    ],
)
def test_a_group_that_is_too_small_for_a_slice_is_not_left_out(
    evidence: ModelEvidence, change: Any, reason: str
) -> None:
    """One instance in twelve has one of five rare values: each is too small to be looked at by itself."""
    rare = np.arange(len(evidence.recent)) % 12 == 0
    names = np.array([f"rare {n % 5}" for n in range(len(rare))])
    recent = evidence.recent.assign(**{CATEGORY: evidence.recent[CATEGORY].where(~rare, names)})
    assert evidence.champion is not None
    sound = replace(evidence, recent=recent, slices=slices(recent), candidate=evidence.champion)
    assert model_gates.nobody_is_left_out(sound)[0]
    changed = replace(sound, candidate=np.where(rare, change(evidence.champion), evidence.champion))
    assert model_gates.no_slice_stands_out(changed)[0]
    passed, given = model_gates.nobody_is_left_out(changed)
    assert not passed
    assert f"small {CATEGORY}" in given
    assert reason in given


def test_a_change_of_all_slices_alike_is_none_of_one(evidence: ModelEvidence) -> None:
    assert model_gates.no_slice_stands_out(replace(evidence, candidate=evidence.candidate + 0.3))[0]


def test_a_package_of_another_model_does_not_agree(packaged: PackageEvidence, trained: Trained) -> None:
    other = train(trained.past, PARAMS | {"max_iter": 35})
    passed, reason = package_gates.conversion_agrees(replace(packaged, model=other))
    assert not passed
    assert "largest difference" in reason


def test_a_renamed_input_is_named(packaged: PackageEvidence, tmp_path: Path) -> None:
    package(packaged.model, packaged.instances, {}, tmp_path)
    model = onnx.load(tmp_path / MODEL)
    for tensor in model.graph.input:
        tensor.name = f"{NUMBER}_renamed" if tensor.name == NUMBER else tensor.name
    for node in model.graph.node:
        node.input[:] = [f"{NUMBER}_renamed" if name == NUMBER else name for name in node.input]
    onnx.save(model, tmp_path / MODEL)
    passed, reason = package_gates.contract_agrees(replace(packaged, artifact=load(tmp_path, digest_of(tmp_path))))
    assert not passed
    assert NUMBER in reason


def test_a_feature_computed_otherwise_when_serving_is_named(
    packaged: PackageEvidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = package_gates.as_requested
    skewed = lambda table: served(table) | {NUMBER: [(number or 0) * 2 for number in served(table)[NUMBER]]}  # noqa: E731
    monkeypatch.setattr(package_gates, "as_requested", skewed)
    passed, reason = package_gates.features_agree(packaged)
    assert not passed
    assert "differs between training and serving" in reason


@pytest.mark.parametrize(
    ("production", "passes"), [({"code": "aaaa"}, True), ({"code": "bbbb"}, False), (None, True), ({}, False)]
)
def test_staging_that_runs_other_code_than_production_proves_nothing(
    packaged: PackageEvidence, monkeypatch: pytest.MonkeyPatch, production: dict[str, str] | None, passes: bool
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "staging":
            return httpx.Response(200, json={"code": "aaaa"})
        if production is None:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=production)

    monkeypatch.setenv("STAGING", "http://staging")
    monkeypatch.setenv("APPLICATION", "http://production")
    client = httpx.Client(transport=httpx.MockTransport(answer))
    monkeypatch.setattr(httpx, "get", client.get)
    finding = _find(package_gates.staging_is_production, packaged)
    assert finding["passed"] is passes
    assert passes == ("aaaa" in finding["reason"] and "bbbb" not in finding["reason"])


@pytest.mark.parametrize(
    ("measured", "gate", "passes"),
    [
        (MEASURED, package_gates.fast_enough, True),
        (MEASURED | {"speed": [FAST | {"p95_ms": 51.0}, FAST]}, package_gates.fast_enough, False),
        (MEASURED | {"speed": [FAST | {"p95_ms": 51.0}]}, package_gates.fast_enough, False),
        (MEASURED | {"speed": [FAST | {"instances_per_second": 20_000.0}, FAST]}, package_gates.fast_enough, False),
        (MEASURED | {"speed": [FAST | {"instances_per_second": 900.0}]}, package_gates.fast_enough, False),
        (MEASURED, package_gates.loads_alone, True),
        (MEASURED | {"peak_mb": 5_000.0}, package_gates.loads_alone, False),
        ({"error": "ModuleNotFoundError: No module named 'x'"}, package_gates.loads_alone, False),
        ({"error": "killed"}, package_gates.fast_enough, False),
    ],
)
def test_what_the_probe_measures_decides(
    packaged: PackageEvidence, measured: dict[str, Any], gate: Any, passes: bool
) -> None:
    assert gate(replace(packaged, measured=measured))[0] is passes


def test_a_busy_machine_does_not_make_a_candidate_slow(
    packaged: PackageEvidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0

    class Timed:
        """Predicts nothing, and takes one of these seconds after the other."""

        description = packaged.artifact.description

        def __init__(self, *seconds: float) -> None:
            self.seconds = itertools.cycle(seconds)

        def predict(self, _: object) -> None:
            nonlocal now
            now += next(self.seconds)

    monkeypatch.setattr(benchmark, "time", SimpleNamespace(perf_counter=lambda: now))
    mine, theirs = benchmark.measure([Timed(0.001, 0.011, 0.011), Timed(0.001)])  # type: ignore[list-item]
    assert mine["instances_per_second"] > theirs["instances_per_second"] / package_gates.MAX_SLOWDOWN


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
    packaged: PackageEvidence, changes: dict[str, Any], reason: str
) -> None:
    passed, given = package_gates.passes_tests(replace(packaged, tests=replace(packaged.tests, **changes)))
    assert not passed
    assert reason in given
