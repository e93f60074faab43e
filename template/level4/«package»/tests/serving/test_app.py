"""The application, asked over HTTP, with a small model made on the spot."""

import json
import math
import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OrdinalEncoder
«% if kind == "binary" %»
from sklearn.tree import DecisionTreeClassifier
«% else %»
from sklearn.tree import DecisionTreeRegressor
«% endif %»

os.environ.setdefault("STAGE", "/dev/null")
os.environ.setdefault("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")

from ...config import paths
from ...config.problem import ID, NAME, TIME
from ...config.version import code_hash
from ...data.faults import TRANSFORMS
from ...data.features import CATEGORICAL
from ...data.schema import Instance
from ...delivery.benchmark import features_of
from ...delivery.package import package
from ...errors import StageError
from ...registry.artifact import Artifact, load
from ...serving import app as application
from ...serving.app import app, follower
from ...serving.calibration import MAX_INTERCEPT, Calibration
from ...serving.prediction_log import LogWriter, experiment_predictions, last_prediction, open_log
from ...serving.repair import Repair
from ...serving.rollout import Arm, Follower, Rollout
from ...serving.routing import CHALLENGER
from ..arms import arm
from ..conftest import make_instances
from ..example import CATEGORY, EXAMPLE, NUMBER, OTHER, OUT_OF_RANGE, UNSEEN, numbered

REQUIRED = [name for name, field in Instance.model_fields.items() if field.is_required()]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """Package a model that tells the two examples apart: the second one will be label."""
    features = pd.DataFrame(features_of([EXAMPLE, OTHER]))
    numbers = list(features.columns.drop(CATEGORICAL))
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    columns = make_column_transformer((encoder, CATEGORICAL), ("passthrough", numbers))
«% if kind == "binary" %»
    model = make_pipeline(columns, DecisionTreeClassifier(random_state=0)).fit(features, [False, True])
«% else %»
    model = make_pipeline(columns, DecisionTreeRegressor(random_state=0)).fit(features, [False, True])
«% endif %»
    folder = tmp_path_factory.mktemp("package")
    return load(folder, package(model, make_instances(days=1), {}, folder))


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
    monkeypatch.setattr(follower, "rollout", Rollout(Arm(f"{NAME}/7@0123", small)))
    return f"{NAME}/7@0123"


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
    assert {frozenset(prediction) for prediction in predictions} == {
        frozenset({ID, "«prediction»", "model", "arm", "calibration", "intercept"})
    }


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
    assert answer["code"] == code_hash()
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


def test_an_answer_is_in_the_log_before_it_is_sent(client: TestClient, model: str) -> None:
    answer = ask(client, EXAMPLE).json()["predictions"][0]
    logged = last_prediction(paths.PREDICTION_LOG, EXAMPLE[ID])
    assert logged is not None
    assert (logged["arm"], logged["model"]) == ("champion", model)
    assert logged["«prediction»"] == answer["«prediction»"]
    assert json.loads(logged["inputs"])[CATEGORY] == EXAMPLE[CATEGORY]


def test_each_arm_answers_its_instance_numbers(
    client: TestClient, small: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = Arm(f"{NAME}/7@0123", small), Arm(f"{NAME}/8@4567", small)
    monkeypatch.setattr(follower, "rollout", Rollout(*arms, "trial", 0.5))
    instances = [numbered(n) for n in range(1, 101)]
    answers = ask(client, *instances).json()["predictions"]
    for instance, answer in zip(instances, answers, strict=True):
        assert answer["arm"] == arm(instance, "trial", 0.5)
        assert answer["model"] == (arms[1].name if answer["arm"] == CHALLENGER else arms[0].name)
    logged = {row[ID]: row for row in experiment_predictions(paths.PREDICTION_LOG, "trial")}
    for answer in answers:
        row = logged[answer[ID]]
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
    arms = Arm(f"{NAME}/7@0123", small, "7"), Arm(f"{NAME}/8@4567", harmful, "8")  # type: ignore[arg-type]
    monkeypatch.setattr(follower, "rollout", Rollout(*arms, "trial", 1.0))
    monkeypatch.setattr(follower, "_dropped", {})
    answers = [ask(client, EXAMPLE) for _ in range(requests + 2)]
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
    arms = {version: Arm(f"{NAME}/{version}@0123", small, version) for version in aliases.values()}
    following = Follower("http://registry", NAME, "champion", tmp_path, _loaded=arms)
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
    serving, shadow = Arm(f"{NAME}/8@4567", small), Arm(f"{NAME}/7@0123", small)
    monkeypatch.setattr(follower, "rollout", Rollout(serving, shadows=(shadow,)))
    assert ask(client, EXAMPLE).json()["predictions"][0]["model"] == serving.name
    logged = last_prediction(paths.PREDICTION_LOG, EXAMPLE[ID])
    assert logged is not None
    assert json.loads(logged["others"]) == {shadow.name: logged["«prediction»"]}


def test_a_request_that_cannot_be_logged_is_refused_and_the_next_one_is_answered(
    client: TestClient, model: str
) -> None:
    full = "CREATE TRIGGER full BEFORE INSERT ON predictions BEGIN SELECT RAISE(ABORT, 'full'); END"
    ask(client, EXAMPLE)
    with open_log(paths.PREDICTION_LOG) as connection:
        connection.execute(full)
        answer = ask(client, EXAMPLE)
        assert answer.status_code == 503
        assert answer.json()["detail"].endswith("so none are given: full")
        assert application.log.failed_lately()  # and readiness says so
        connection.execute("DROP TRIGGER full")
    assert ask(client, EXAMPLE).status_code == 200
    with open_log(paths.PREDICTION_LOG) as connection:
        assert len(connection.rows("SELECT * FROM predictions")) == 2


«% if kind == "binary" %»
def test_the_calibration_of_the_day_moves_every_model_by_its_intercept(
    client: TestClient, small: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    even = SimpleNamespace(predict=lambda features: np.full(len(features[CATEGORY]), 0.5))
    arms = Arm(f"{NAME}/7@0123", even), Arm(f"{NAME}/8@4567", even)  # type: ignore[arg-type]
    calibration = Calibration("2013-03-01", {arms[0].name: -0.4, arms[1].name: 0.2})
    monkeypatch.setattr(follower, "rollout", Rollout(*arms, "trial", 0.5, calibration=calibration))
    expected = {arms[0].name: 1 / (1 + math.exp(0.4)), arms[1].name: 1 / (1 + math.exp(-0.2))}
    for instance in map(numbered, range(1, 21)):
        (answer,) = ask(client, instance).json()["predictions"]
        logged = last_prediction(paths.PREDICTION_LOG, instance[ID])
        assert logged is not None
        assert answer["«prediction»"] == pytest.approx(expected[answer["model"]])
        assert {answer["model"]: answer["«prediction»"]} | json.loads(logged["others"]) == pytest.approx(
            expected
        )
        assert (answer["calibration"], logged["calibration"]) == ("2013-03-01", "2013-03-01")
        assert logged["intercept"] == calibration.intercepts[answer["model"]]
«% endif %»


def test_a_model_without_an_intercept_answers_as_certified(
    client: TestClient, small: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibration = Calibration("2013-03-01", {f"{NAME}/6@89ab": 0.4})
    monkeypatch.setattr(follower, "rollout", Rollout(Arm("m/7@0123", small), calibration=calibration))
    assert label(client) == 0
    assert label(client, **OTHER) == 1


@pytest.mark.parametrize("intercept", [0.81, -3.0, math.nan])
def test_an_intercept_beyond_the_limit_is_not_applied(intercept: float) -> None:
    with pytest.raises(ValueError, match=f"beyond {MAX_INTERCEPT}"):
        Calibration.read(json.dumps({"id": "2013-03-01", "intercepts": {"m/1": intercept}}))


@pytest.fixture
def repaired(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a model serve that knows whether a number is higher than the example's, and repairs be made."""
    higher = EXAMPLE[NUMBER] + 0.5
    thermometer = SimpleNamespace(predict=lambda features: np.where(features[NUMBER] > higher, 0.75, 0.25))
    arm = Arm(f"{NAME}/7@0123", thermometer)  # type: ignore[arg-type]
    monkeypatch.setitem(TRANSFORMS, "one too low", {NUMBER: lambda number: number + 1})
    monkeypatch.setitem(TRANSFORMS, "five hours label", {TIME: lambda moment: moment - timedelta(hours=5)})

    def repaired(text: str) -> None:
        monkeypatch.setattr(follower, "rollout", Rollout(arm, repair=Repair.read(text)))

    return repaired


def logged_of_example(column: str) -> Any:
    """Return what the log keeps of the last prediction for the example."""
    logged = last_prediction(paths.PREDICTION_LOG, EXAMPLE[ID])
    assert logged is not None
    return json.loads(logged[column])


def test_a_known_fault_is_undone_and_the_log_keeps_what_was_asked(
    client: TestClient, repaired: Callable[[str], None]
) -> None:
    repaired('{"id": "2013-03-01", "transforms": ["one too low"]}')
    assert label(client) == 0.75
    assert logged_of_example("inputs")[NUMBER] == EXAMPLE[NUMBER]
    assert logged_of_example("repaired") == {NUMBER: EXAMPLE[NUMBER] + 1}
    repaired("{}")
    assert label(client) == 0.25


def test_a_column_of_another_name_is_taken_while_it_is_repaired(
    client: TestClient, repaired: Callable[[str], None]
) -> None:
    other = {name: value for name, value in EXAMPLE.items() if name != NUMBER} | {"another": EXAMPLE[NUMBER] + 1}
    repaired("{}")
    assert ask(client, other).status_code == 422
    repaired(json.dumps({"id": "2013-03-01", "renamed": {"another": NUMBER}}))
    assert ask(client, other).json()["predictions"][0]["«prediction»"] == 0.75
    assert label(client, **{NUMBER: EXAMPLE[NUMBER] + 1}) == 0.75
    repaired("{}")
    assert ask(client, other).status_code == 422


def test_a_shifted_time_is_shifted_back(client: TestClient, repaired: Callable[[str], None]) -> None:
    repaired('{"id": "2013-11-04", "transforms": ["five hours label"]}')
    label(client, **{TIME: "2013-11-04T17:00:00"})
    assert logged_of_example("repaired") == {TIME: "2013-11-04T12:00:00"}


def test_a_repair_that_nobody_knows_is_not_made() -> None:
    with pytest.raises(KeyError):
        Repair.read('{"id": "2013-03-01", "transforms": ["of nobody"]}')


def test_a_challenger_that_is_dropped_takes_neither_calibration_nor_repair_with_it(
    client: TestClient, small: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = Arm("m/7@0123", small, "7"), Arm("m/8@4567", Harmful(small), "8")  # type: ignore[arg-type]
    morning = {"calibration": Calibration("2013-03-01", {}), "repair": Repair("2013-03-01")}
    monkeypatch.setattr(follower, "rollout", Rollout(*arms, "trial", 1.0, **morning))  # type: ignore[arg-type]
    monkeypatch.setattr(follower, "_dropped", {})
    assert ask(client, EXAMPLE).status_code == 200
    assert follower.rollout == Rollout(arms[0], **morning)  # type: ignore[arg-type]
