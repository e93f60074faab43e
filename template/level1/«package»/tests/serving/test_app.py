"""The application, asked over HTTP, with a small model made on the spot."""

import hashlib
import json
import math
import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
«% if kind == "binary" %»
from sklearn.tree import DecisionTreeClassifier
«% else %»
from sklearn.tree import DecisionTreeRegressor
«% endif %»

from ...config import paths
from ...config.problem import ID
from ...data.schema import Instance
from ...serving.app import app, load_model, to_row
from ..example import EXAMPLE, NUMBER, OTHER, OUT_OF_RANGE, UNSEEN

REQUIRED = [name for name, field in Instance.model_fields.items() if field.is_required()]


@cache
def small_model() -> Pipeline:
    """Learn to tell the two examples apart: the second one will be label."""
    rows = pd.DataFrame([to_row(Instance.model_validate(instance)) for instance in (EXAMPLE, OTHER)])
    categories = [name for name in rows if isinstance(rows[name][0], str)]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((encoder, categories), remainder="passthrough")
«% if kind == "binary" %»
    model = make_pipeline(columns, DecisionTreeClassifier(random_state=0))
«% else %»
    model = make_pipeline(columns, DecisionTreeRegressor(random_state=0))
«% endif %»
    return model.fit(rows.astype(dict.fromkeys(rows.columns.drop(categories), "float32")), [False, True])


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """Return a client of the application before any model is released."""
    monkeypatch.setattr(paths, "APP", tmp_path / "app")
    load_model.cache_clear()
    yield TestClient(app, raise_server_exceptions=False)
    load_model.cache_clear()


@pytest.fixture
def model(tmp_path: Path, client: TestClient) -> str:
    """Release the small model; return its name."""
    path = tmp_path / "app" / "model.pkl"
    path.parent.mkdir()
    path.write_bytes(pickle.dumps(small_model()))
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def post(client: TestClient, body: Any) -> httpx.Response:
    answer: httpx.Response = client.post("/predict", content=body, headers={"content-type": "application/json"})
    return answer


def ask(client: TestClient, *instances: dict[str, Any]) -> httpx.Response:
    body = json.dumps({"instances": instances})  # writes NaN as NaN, which strict JSON does not know
    return post(client, body)


def label(client: TestClient, **changes: Any) -> float:
    """Return the answer for the example with `changes`."""
    answer = ask(client, EXAMPLE | changes)
    assert answer.status_code == 200, answer.text
    probability: float = answer.json()["predictions"][0]["«prediction»"]
    return probability


def check_named(answer: httpx.Response, field: str) -> None:
    assert answer.status_code == 422, answer.text
    assert field in [problem["field"] for problem in answer.json()["detail"]]


def test_answers_come_in_the_order_of_the_request(client: TestClient, model: str) -> None:
    instances = [(OTHER if n % 3 else EXAMPLE) | {ID: f"instance {n}"} for n in range(30, 0, -1)]
    predictions = ask(client, *instances).json()["predictions"]
    assert [prediction[ID] for prediction in predictions] == [instance[ID] for instance in instances]
    assert [prediction["«prediction»"] for prediction in predictions] == [
        float(n % 3 > 0) for n in range(30, 0, -1)
    ]
    assert {prediction["model"] for prediction in predictions} == {model}
    assert {frozenset(prediction) for prediction in predictions} == {frozenset({ID, "«prediction»", "model"})}


def test_ten_thousand_instances_are_answered(client: TestClient, model: str) -> None:
    answer = ask(client, *[EXAMPLE] * 10_000)
    assert len(answer.json()["predictions"]) == 10_000


def test_an_unknown_category_is_no_error(client: TestClient, model: str) -> None:
    assert label(client, **UNSEEN) == 0


@pytest.mark.parametrize("missing", ["null", "left out"])
def test_what_may_be_missing_may_be_missing(client: TestClient, model: str, missing: str) -> None:
    known = {name: value for name, value in OTHER.items() if name in REQUIRED or value != EXAMPLE[name]}
    instance = dict.fromkeys(OTHER) | known if missing == "null" else known
    assert ask(client, instance).json()["predictions"][0]["«prediction»"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (ID, 7),
        (ID, ""),
        (NUMBER, math.nan),
        (NUMBER, math.inf),
        (NUMBER, "many"),
        (NUMBER, "39.0"),
        (NUMBER, False),
        (NUMBER, {}),
        *OUT_OF_RANGE.items(),
        ("colour", "red"),  # not a field at all
    ],
)
def test_a_bad_value_is_refused_and_its_field_named(
    client: TestClient, model: str, field: str, value: Any
) -> None:
    check_named(ask(client, EXAMPLE, EXAMPLE | {field: value}), f"body.instances.1.{field}")


@pytest.mark.parametrize("field", REQUIRED)
def test_a_field_that_is_left_out_is_named(client: TestClient, model: str, field: str) -> None:
    instance = {name: value for name, value in EXAMPLE.items() if name != field}
    check_named(ask(client, instance), f"body.instances.0.{field}")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "body"),
        ("null", "body"),
        ("[]", "body"),
        ("{}", "body.instances"),
        ('{"instances": []}', "body.instances"),
        ('{"instances": null}', "body.instances"),
        ('{"instances": {}}', "body.instances"),
        ('{"instances": ["one"]}', "body.instances.0"),
        ('{"instances": [], "model": 1}', "body.model"),
        ("[", "body.1"),  # where the JSON breaks off
    ],
)
def test_a_bad_body_is_refused_and_the_place_named(client: TestClient, model: str, body: str, field: str) -> None:
    check_named(post(client, body), field)


def test_more_than_ten_thousand_instances_are_refused(client: TestClient, model: str) -> None:
    check_named(ask(client, *[EXAMPLE] * 10_001), "body.instances")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_ten_megabytes_is_refused(client: TestClient, model: str, announced: bool) -> None:
    megabyte = b"x" * 2**20
    body = megabyte * 10 if announced else iter([megabyte] * 10)  # an iterator is sent without a length
    assert post(client, body).status_code == 413


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 100_000, b'{"instances": ' + b"9" * 5_000 + b"}"])
def test_what_no_parser_can_read_is_refused(client: TestClient, model: str, body: bytes) -> None:
    answer = post(client, body)
    assert 400 <= answer.status_code < 500, answer.text


def test_values_are_not_sent_back(client: TestClient, model: str) -> None:
    assert "hunter2" not in ask(client, dict.fromkeys(EXAMPLE, "hunter2")).text


def test_version_names_the_application_and_the_model(client: TestClient, model: str) -> None:
    answer = client.get("/version").json()
    assert answer["application"]
    assert answer["model"] == model


def test_it_is_alive_before_a_model_is_released(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/version").json()["model"] is None


def test_before_a_model_is_released_it_says_so(client: TestClient) -> None:
    answer = ask(client, EXAMPLE)
    assert answer.status_code == 503
    assert "no model" in answer.json()["detail"]


def test_the_first_model_is_taken_without_a_restart(client: TestClient, request: pytest.FixtureRequest) -> None:
    assert ask(client, EXAMPLE).status_code == 503
    request.getfixturevalue("model")
    assert ask(client, EXAMPLE).status_code == 200


def measured(client: TestClient) -> dict[str, float]:
    """Return /metrics as `{"name{label=value}": value}`."""
    text = client.get("/metrics").text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {
        sample.name + "".join(f"{{{k}={v}}}" for k, v in sorted(sample.labels.items())): sample.value
        for sample in samples
    }


@pytest.fixture
def own_metrics(client: TestClient) -> None:
    """Count from nought: another application in this process would have taken the names of the metrics."""
    for collector, names in list(REGISTRY._collector_to_names.items()):
        if any(name.startswith("http_") for name in names):
            REGISTRY.unregister(collector)
    app.middleware_stack = None  # made again by the next request


def test_metrics_count_requests_and_latency(client: TestClient, model: str, own_metrics: None) -> None:
    ask(client, EXAMPLE)
    ask(client, OTHER)
    ask(client, EXAMPLE | OUT_OF_RANGE)
    values = measured(client)
    assert values["http_requests_total{handler=/predict}{method=POST}{status=2xx}"] == 2
    assert values["http_requests_total{handler=/predict}{method=POST}{status=4xx}"] == 1
    assert values["http_request_duration_seconds_count{handler=/predict}{method=POST}"] == 3
    assert values["http_request_duration_seconds_sum{handler=/predict}{method=POST}"] > 0


def test_metrics_tell_processor_and_memory(client: TestClient) -> None:
    values = measured(client)
    assert values["process_cpu_seconds_total"] > 0
    assert values["process_resident_memory_bytes"] > 10 * 2**20


def test_metrics_tell_nothing_about_the_model(client: TestClient, model: str) -> None:
    ask(client, EXAMPLE)
    values = measured(client)
    assert {name.split("_")[0] for name in values} == {"http", "process", "python"}
    assert model not in " ".join(values)
