"""The staged package, tested over HTTP before its release; the delivery names package and endpoint."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from ...config.problem import ID, ROWS, TIME
from ...data.schema import Instance
from ...delivery.benchmark import features_of
from ...registry.artifact import Artifact, load
from ...serving.prediction_log import last_prediction
from ..example import NUMBER, UNSEEN

DIGEST = os.environ.get("RELEASE_DIGEST", "")
FOLDER = Path(os.environ.get("RELEASE_PACKAGE", "none"))
STAGE = Path(os.environ.get("RELEASE_STAGE", "none"))
LOG = os.environ.get("PREDICTION_LOG", STAGE / "predictions.db")
ENDPOINT = os.environ.get("STAGING", "none")
MAY_BE_MISSING = [name for name, field in Instance.model_fields.items() if not field.is_required()]
UNUSUAL: dict[str, dict[str, Any]] = {f"unknown {name}": {name: value} for name, value in UNSEEN.items()}
UNUSUAL |= {"all missing": dict.fromkeys(MAY_BE_MISSING), "another century": {TIME: "2050-03-01T06:30:00"}}

pytestmark = pytest.mark.skipif(not DIGEST, reason="no release is going on: the delivery runs these tests")


@pytest.fixture(scope="module", autouse=True)
def _report(record_testsuite_property: Any) -> None:
    """Write down in the report which package it is about."""
    record_testsuite_property("package", DIGEST)


@pytest.fixture(scope="module")
def package() -> Artifact:
    return load(FOLDER, DIGEST)


def ask(*instances: dict[str, Any]) -> httpx.Response:
    return httpx.post(f"{ENDPOINT}/predict", json={ROWS: instances}, timeout=30)


def instances_of(package: Artifact) -> list[dict[str, Any]]:
    return [golden["instance"] for golden in package.description["golden"]]


def test_staging_answers_with_this_package_and_no_other(package: Artifact) -> None:
    assert httpx.get(f"{ENDPOINT}/version").json()["model"].endswith(f"@{DIGEST[:12]}")
    assert {
        prediction["model"].partition("@")[2] for prediction in ask(*instances_of(package)).json()["predictions"]
    } == {DIGEST[:12]}


def test_one_instance_gets_the_answer_it_gets_among_others(package: Artifact) -> None:
    instances = instances_of(package)
    together = ask(*instances).json()["predictions"]
    assert [prediction[ID] for prediction in together] == [instance[ID] for instance in instances]
    expected = package.predict(features_of(instances))
    np.testing.assert_allclose(
        [prediction["«prediction»"] for prediction in together], expected, rtol=0, atol=1e-9
    )
    (alone,) = ask(instances[0]).json()["predictions"]
    assert alone == together[0]


@pytest.mark.parametrize("change", UNUSUAL.values(), ids=UNUSUAL)
def test_what_is_unusual_is_still_answered(package: Artifact, change: dict[str, Any]) -> None:
    (answer,) = ask(instances_of(package)[0] | change).json()["predictions"]
«% if kind == "binary" %»
    assert 0 < answer["«prediction»"] < 1
«% else %»
    assert np.isfinite(answer["«prediction»"])
«% endif %»


def test_a_bad_request_is_told_which_field(package: Artifact) -> None:
    answer = ask(instances_of(package)[0] | {NUMBER: "many"})
    assert answer.status_code == 422
    assert f"body.{ROWS}.0.{NUMBER}" in json.dumps(answer.json())


def test_staging_writes_nothing_into_the_log(package: Artifact) -> None:
    ask(instances_of(package)[0] | {ID: f"staged-{DIGEST[:12]}"})
    assert last_prediction(LOG, f"staged-{DIGEST[:12]}") is None
