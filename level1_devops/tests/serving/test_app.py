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
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from sklearn.compose import make_column_transformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

from ...config import paths
from ...serving.app import app, load_model

CATEGORICAL = ["origin", "dest", "carrier"]
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]

MORNING: dict[str, Any] = {
    "flight_id": "2013-03-01-UA475-EWR",
    "scheduled_departure": "2013-03-01T06:30:00",
    "origin": "EWR",
    "dest": "IAH",
    "carrier": "UA",
    "flight": 475,
    "tailnum": "N14228",
    "distance": 1400,
    "observed_at": "2013-03-01T05:00:00",
    "temp": 35.1,
    "dewp": 26.1,
    "humid": 69.1,
    "wind_dir": 300,
    "wind_speed": 12.7,
    "wind_gust": None,
    "precip": 0,
    "pressure": 1009.6,
    "visib": 10,
}
EVENING = MORNING | {"flight_id": "2013-03-01-UA476-EWR", "scheduled_departure": "2013-03-01T18:30:00"}


@cache
def small_model() -> Pipeline:
    """Learn from a few made-up flights that whatever leaves after half past eleven will be late."""
    hours = np.arange(24, dtype="float32")
    numbers = {"minute_of_day": hours * 60, "weekday": hours % 7, "distance": hours * 0 + 1000}
    weather = dict.fromkeys(WEATHER, hours % 3)
    categories = {name: np.resize(np.array(["EWR", "JFK"], dtype=object), 24) for name in CATEGORICAL}
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((encoder, CATEGORICAL), remainder="passthrough")
    model = make_pipeline(columns, DecisionTreeClassifier(random_state=0))
    return model.fit(pd.DataFrame(categories | numbers | weather), hours >= 12)


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


def ask(client: TestClient, *flights: dict[str, Any]) -> httpx.Response:
    body = json.dumps({"flights": flights})  # writes NaN as NaN, which strict JSON does not know
    return post(client, body)


def late(client: TestClient, **changes: Any) -> float:
    """Return the answer for one morning flight with `changes`."""
    answer = ask(client, MORNING | changes)
    assert answer.status_code == 200, answer.text
    probability: float = answer.json()["predictions"][0]["late_probability"]
    return probability


def check_named(answer: httpx.Response, field: str) -> None:
    assert answer.status_code == 422, answer.text
    assert field in [problem["field"] for problem in answer.json()["detail"]]


def test_answers_come_in_the_order_of_the_request(client: TestClient, model: str) -> None:
    flights = [(EVENING if n % 3 else MORNING) | {"flight_id": f"flight {n}"} for n in range(30, 0, -1)]
    predictions = ask(client, *flights).json()["predictions"]
    assert [prediction["flight_id"] for prediction in predictions] == [flight["flight_id"] for flight in flights]
    assert [prediction["late_probability"] for prediction in predictions] == [
        float(n % 3 > 0) for n in range(30, 0, -1)
    ]
    assert {prediction["model"] for prediction in predictions} == {model}
    assert {frozenset(prediction) for prediction in predictions} == {
        frozenset({"flight_id", "late_probability", "model"})
    }


def test_ten_thousand_flights_are_answered(client: TestClient, model: str) -> None:
    answer = ask(client, *[MORNING] * 10_000)
    assert len(answer.json()["predictions"]) == 10_000


def test_an_unknown_carrier_or_destination_is_no_error(client: TestClient, model: str) -> None:
    assert late(client, carrier="ZZ", dest="XXX") == 0


@pytest.mark.parametrize("missing", ["null", "left out"])
def test_missing_weather_is_no_error(client: TestClient, model: str, missing: str) -> None:
    unseen = dict.fromkeys([*WEATHER, "observed_at"])
    flight = EVENING | unseen if missing == "null" else {k: v for k, v in EVENING.items() if k not in unseen}
    assert ask(client, flight).json()["predictions"][0]["late_probability"] == 1


@pytest.mark.parametrize("day", ["2050-03-01", "2000-01-01", "2099-12-31"])
def test_any_date_of_this_century_is_answered(client: TestClient, model: str, day: str) -> None:
    assert late(client, scheduled_departure=f"{day}T06:30:00", observed_at=None) == 0
    assert late(client, scheduled_departure=f"{day}T18:30:00", observed_at=None) == 1


@pytest.mark.parametrize(
    ("moment", "in_new_york"),
    [
        ("2013-03-01T16:29:00Z", "2013-03-01T11:29:00"),
        ("2013-03-01T16:31:00+00:00", "2013-03-01T11:31:00"),
        ("2013-07-01T15:29:00Z", "2013-07-01T11:29:00"),  # summer: four hours, not five
        ("2013-07-01T15:31:00Z", "2013-07-01T11:31:00"),
        ("2013-03-01T23:00:00+09:00", "2013-03-01T09:00:00"),
        ("2013-03-01T12:00:00-05:00", "2013-03-01T12:00:00"),
    ],
)
def test_an_offset_is_honoured(client: TestClient, model: str, moment: str, in_new_york: str) -> None:
    assert late(client, scheduled_departure=moment) == late(client, scheduled_departure=in_new_york)
    assert late(client, scheduled_departure=moment) == float(in_new_york[11:] > "11:30")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("scheduled_departure", "soon"),
        ("scheduled_departure", None),
        ("scheduled_departure", 1362117600),  # seconds since 1970
        ("scheduled_departure", "1362117600"),
        ("scheduled_departure", "0001-01-01T06:30:00"),
        ("scheduled_departure", "2100-01-01T06:30:00"),
        ("scheduled_departure", "2013-03-10T02:30:00"),  # the clocks skip this hour
        ("observed_at", "2013-02-30T05:00:00"),
        ("flight", "one"),
        ("flight", 1.5),
        ("flight", True),
        ("flight", "725"),
        ("flight_id", 7),
        ("flight_id", ""),
        ("origin", "Newark"),
        ("dest", None),
        ("carrier", "United"),
        ("tailnum", ["N14228"]),
        ("distance", -1),
        ("distance", math.nan),
        ("temp", math.nan),
        ("temp", math.inf),
        ("temp", "warm"),
        ("temp", "39.0"),
        ("temp", False),
        ("humid", 101),
        ("wind_dir", 361),
        ("precip", {}),
        ("colour", "red"),  # not a field at all
    ],
)
def test_a_bad_value_is_refused_and_its_field_named(
    client: TestClient, model: str, field: str, value: Any
) -> None:
    check_named(ask(client, MORNING, MORNING | {field: value}), f"body.flights.1.{field}")


def test_weather_from_after_the_departure_is_refused(client: TestClient, model: str) -> None:
    answer = ask(client, MORNING, MORNING | {"observed_at": "2013-12-31T23:00:00"})
    check_named(answer, "body.flights.1")
    assert "observed_at is after scheduled_departure" in answer.text


@pytest.mark.parametrize("field", [name for name in MORNING if name not in [*WEATHER, "observed_at", "tailnum"]])
def test_a_field_that_is_left_out_is_named(client: TestClient, model: str, field: str) -> None:
    flight = {name: value for name, value in MORNING.items() if name != field}
    check_named(ask(client, flight), f"body.flights.0.{field}")


@pytest.mark.parametrize("field", ["scheduled_departure", "observed_at"])
@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00"])
def test_a_moment_beyond_the_calendar_is_refused(client: TestClient, model: str, field: str, moment: str) -> None:
    check_named(ask(client, MORNING | {field: moment}), f"body.flights.0.{field}")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "body"),
        ("null", "body"),
        ("[]", "body"),
        ("{}", "body.flights"),
        ('{"flights": []}', "body.flights"),
        ('{"flights": null}', "body.flights"),
        ('{"flights": {}}', "body.flights"),
        ('{"flights": ["UA475"]}', "body.flights.0"),
        ('{"flights": [], "model": 1}', "body.model"),
        ('{"flights": [', "body.13"),  # where the JSON breaks off
    ],
)
def test_a_bad_body_is_refused_and_the_place_named(client: TestClient, model: str, body: str, field: str) -> None:
    check_named(post(client, body), field)


def test_more_than_ten_thousand_flights_are_refused(client: TestClient, model: str) -> None:
    check_named(ask(client, *[MORNING] * 10_001), "body.flights")


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_of_ten_megabytes_is_refused(client: TestClient, model: str, announced: bool) -> None:
    megabyte = b"x" * 2**20
    body = megabyte * 10 if announced else iter([megabyte] * 10)  # an iterator is sent without a length
    assert post(client, body).status_code == 413


@pytest.mark.parametrize("body", [b"\xff\xfe", b"[" * 100_000, b'{"flights": ' + b"9" * 5_000 + b"}"])
def test_what_no_parser_can_read_is_refused(client: TestClient, model: str, body: bytes) -> None:
    answer = post(client, body)
    assert 400 <= answer.status_code < 500, answer.text


def test_values_are_not_sent_back(client: TestClient, model: str) -> None:
    assert "hunter2" not in ask(client, MORNING | {"scheduled_departure": "hunter2", "dest": "hunter2"}).text


def test_version_names_the_application_and_the_model(client: TestClient, model: str) -> None:
    answer = client.get("/version").json()
    assert answer["application"]
    assert answer["model"] == model


def test_it_is_alive_before_a_model_is_released(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/version").json()["model"] is None


def test_before_a_model_is_released_it_says_so(client: TestClient) -> None:
    answer = ask(client, MORNING)
    assert answer.status_code == 503
    assert "no model" in answer.json()["detail"]


def test_the_first_model_is_taken_without_a_restart(client: TestClient, request: pytest.FixtureRequest) -> None:
    assert ask(client, MORNING).status_code == 503
    request.getfixturevalue("model")
    assert ask(client, MORNING).status_code == 200


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
    ask(client, MORNING)
    ask(client, EVENING)
    ask(client, MORNING | {"flight": 0})
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
    ask(client, MORNING)
    values = measured(client)
    assert {name.split("_")[0] for name in values} == {"http", "process", "python"}
    assert model not in " ".join(values)
