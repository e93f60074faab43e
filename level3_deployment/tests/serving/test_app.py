"""The application, asked over HTTP, with a small model made on the spot."""

import json
import math
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
from sklearn.tree import DecisionTreeClassifier

os.environ.setdefault("STAGE", "/dev/null")
os.environ.setdefault("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")

from ...config import paths
from ...data.features import make_features
from ...data.schema import Flight
from ...delivery.package import package
from ...errors import StageError
from ...registry.artifact import Artifact, load
from ...serving import app as application
from ...serving.app import app, follower
from ...serving.prediction_log import Logged, LogWriter, experiment_predictions, last_prediction, open_log
from ...serving.rollout import Arm, Follower, Rollout
from ...serving.routing import CHALLENGER, arm_of
from ..conftest import make_flights

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


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Package a model of a few made-up flights: whatever leaves after half past eleven will be late."""
    table = make_flights(days=2).dropna(subset="arrival_delay")
    hour = table["scheduled_departure"].dt.hour
    features = pd.DataFrame(make_features(table))
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((encoder, CATEGORICAL), ("passthrough", list(features.columns[3:])))
    hours = DecisionTreeClassifier(max_depth=1, random_state=0)
    model = make_pipeline(columns, hours).fit(features, hour * 60 + table["scheduled_departure"].dt.minute > 690)
    hours.tree_.threshold[0] = 690
    folder = tmp_path_factory.mktemp("package")
    return load(folder, package(model, table, {}, folder))


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TestClient:
    """Return a client of the application before any model is released."""
    monkeypatch.setattr(follower, "rollout", Rollout())
    monkeypatch.setattr(paths, "PREDICTION_LOG", tmp_path / "predictions.db")
    monkeypatch.setattr(application, "log", LogWriter(paths.PREDICTION_LOG))
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture
def model(client: TestClient, small: Artifact, monkeypatch: pytest.MonkeyPatch) -> str:
    """Release the small model; return its name."""
    monkeypatch.setattr(follower, "rollout", Rollout(Arm("flight-delays/7@0123", small)))
    return "flight-delays/7@0123"


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
        frozenset({"flight_id", "late_probability", "model", "arm"})
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


def test_an_answer_is_in_the_log_before_it_is_sent(client: TestClient, model: str) -> None:
    answer = ask(client, MORNING).json()["predictions"][0]
    logged = last_prediction(paths.PREDICTION_LOG, MORNING["flight_id"])
    assert logged is not None
    assert (logged["arm"], logged["model"]) == ("champion", model)
    assert logged["late_probability"] == answer["late_probability"]
    assert json.loads(logged["inputs"])["carrier"] == "UA"


def test_each_arm_answers_its_flight_numbers(
    client: TestClient, small: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = Arm("flight-delays/7@0123", small), Arm("flight-delays/8@4567", small)
    monkeypatch.setattr(follower, "rollout", Rollout(*arms, "trial", 0.5))
    flights = [MORNING | {"flight": n, "flight_id": f"flight {n}"} for n in range(1, 101)]
    answers = ask(client, *flights).json()["predictions"]
    for flight, answer in zip(flights, answers, strict=True):
        assert answer["arm"] == arm_of("UA", flight["flight"], "trial", 0.5)
        assert answer["model"] == (arms[1].name if answer["arm"] == CHALLENGER else arms[0].name)
    logged = {row["flight_id"]: row for row in experiment_predictions(paths.PREDICTION_LOG, "trial")}
    for answer in answers:
        row = logged[answer["flight_id"]]
        assert row["arm"] == answer["arm"]
        assert {row["model"], *json.loads(row["others"])} == {arm.name for arm in arms}
    assert 30 < sum(answer["arm"] == CHALLENGER for answer in answers) < 70


class Harmful:
    """A model that fails, or takes its time; `asked` counts how often."""

    def __init__(self, model: Artifact, seconds: float = 0.0) -> None:
        self.model, self.seconds, self.asked = model, seconds, 0

    def predict(self, features: Any) -> Any:
        self.asked += 1
        if not self.seconds:
            raise ValueError("no such operator")
        time.sleep(self.seconds)
        return self.model.predict(features)


@pytest.mark.parametrize(
    "harm",
    [(0.0, 1, "version 8: failed to predict, ValueError: no such operator"), (0.3, 3, "version 8: was slow in 3")],
    ids=["fails", "slow"],
)
def test_a_challenger_that_harms_the_service_is_dropped_at_once(
    client: TestClient, small: Artifact, monkeypatch: pytest.MonkeyPatch, harm: tuple[float, int, str]
) -> None:
    seconds, requests, why = harm
    harmful = Harmful(small, seconds)
    arms = Arm("flight-delays/7@0123", small, "7"), Arm("flight-delays/8@4567", harmful, "8")  # type: ignore[arg-type]
    monkeypatch.setattr(follower, "rollout", Rollout(*arms, "trial", 1.0))
    monkeypatch.setattr(follower, "_dropped", {})
    answers = [ask(client, MORNING) for _ in range(requests + 2)]
    assert {answer.status_code for answer in answers} == {200}
    assert [answer.json()["predictions"][0]["arm"] for answer in answers[-2:]] == ["champion", "champion"]
    assert harmful.asked == requests
    assert follower.rollout == Rollout(arms[0])
    with pytest.raises(StageError, match=why):  # so says /version, once the registry has been read again
        follower._arm("8")


def test_a_shadow_that_is_dropped_leaves_the_challenger_in_traffic(small: Artifact, tmp_path: Path) -> None:
    aliases = {"champion": "7", "challenger": "8", "previous": "6"}
    registered = {
        "aliases": [{"alias": alias, "version": version} for alias, version in aliases.items()],
        "tags": [{"key": "experiment", "value": "trial"}, {"key": "challenger_share", "value": "0.5"}],
    }
    registry = httpx.MockTransport(lambda _: httpx.Response(200, json={"registered_model": registered}))
    arms = {version: Arm(f"flight-delays/{version}@0123", small, version) for version in aliases.values()}
    following = Follower("http://registry", "flight-delays", "champion", tmp_path, _loaded=arms)
    following._client = httpx.Client(transport=registry)
    following.poll()
    assert following.rollout.shadows == (arms["6"],)
    following._drop(arms["6"], "failed to predict")
    for _ in ("at once", "after the next poll"):
        assert (following.rollout.challenger, following.rollout.share) == (arms["8"], 0.5)
        assert not following.rollout.shadows
        following.poll()
    assert following.problem == "version 6: failed to predict"


def test_a_shadow_predicts_and_serves_nobody(
    client: TestClient, small: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    serving, shadow = Arm("flight-delays/8@4567", small), Arm("flight-delays/7@0123", small)
    monkeypatch.setattr(follower, "rollout", Rollout(serving, shadows=(shadow,)))
    assert ask(client, MORNING).json()["predictions"][0]["model"] == serving.name
    logged = last_prediction(paths.PREDICTION_LOG, MORNING["flight_id"])
    assert logged is not None
    assert json.loads(logged["others"]) == {shadow.name: logged["late_probability"]}


def test_requests_of_several_threads_are_all_logged(tmp_path: Path) -> None:
    writer, flight = LogWriter(tmp_path / "predictions.db"), Flight.model_validate(MORNING)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: writer.append([Logged(flight, "champion", f"m/{n}", 0.5)]), range(200)))
    with open_log(writer.path) as connection:
        models = connection.execute("SELECT DISTINCT model FROM predictions").fetchall()
    assert len(models) == 200


def test_a_request_that_cannot_be_logged_is_refused_and_the_next_one_is_answered(
    client: TestClient, model: str
) -> None:
    full = "CREATE TRIGGER full BEFORE INSERT ON predictions BEGIN SELECT RAISE(ABORT, 'full'); END"
    ask(client, MORNING)
    with open_log(paths.PREDICTION_LOG) as connection:
        connection.execute(full)
        answer = ask(client, MORNING)
        assert answer.status_code == 503
        assert answer.json()["detail"].endswith("so none are given: full")
        assert application.log.failed_lately()  # and readiness says so
        connection.execute("DROP TRIGGER full")
    assert ask(client, MORNING).status_code == 200
    with open_log(paths.PREDICTION_LOG) as connection:
        assert connection.execute("SELECT count(*) FROM predictions").fetchone()[0] == 2
