"""The metrics of a day: seeded faults show, and only there."""

import json
from pathlib import Path

import httpx
import numpy as np
import pandas as pd
import pytest

from ...config.problem import ID, OUTCOME, OUTCOMES, SLICES, TIME
from ...data.schema import Instance
from ...monitoring import metrics, store
from ...monitoring.store import ALL
from ...serving.calibration import calibrated
from ...serving.prediction_log import Logged, append, open_log
from ...training.model import label_of
from ..conftest import make_instances
from ..example import EXAMPLE, NUMBER

MAY_BE_MISSING = [name for name, field in Instance.model_fields.items() if not field.is_required()]


@pytest.fixture
def today() -> pd.DataFrame:
    """Return a day like those of the training data, with the champion's predictions."""
    table = make_instances(days=1, first="2013-03-15", seed=1)
    return table.assign(raw_probability=np.linspace(0, 1, len(table)))


def test_of_a_instance_asked_about_twice_the_last_answer_counts(today: pd.DataFrame, tmp_path: Path) -> None:
    inputs = json.loads(
        today.head(2).drop(columns=["raw_probability", OUTCOME]).to_json(orient="records", date_format="iso")
    )
    first, second = map(Instance.model_validate, inputs)
    with open_log(tmp_path / "log.db") as log:
        append(
            log,
            [
                Logged(first, "champion", "m/1", 0.1),
                Logged(second, "challenger", "m/2", 0.3, "x", {"m/0": 0.9, "m/1": 0.2}),
            ],
        )
        append(log, [Logged(first, "champion", "m/1", 0.4)])
    answers = metrics.predictions(tmp_path / "log.db", "2013-03-15", "2013-03-15").set_index(ID)
    assert len(answers) == 2
    assert answers["«prediction»"].to_dict() == {inputs[0][ID]: 0.4, inputs[1][ID]: 0.3}
    assert answers["champion_probability"].to_dict() == {inputs[0][ID]: 0.4, inputs[1][ID]: 0.2}
    assert metrics.predictions(tmp_path / "log.db", "2013-03-16", "2013-03-20").empty


def test_inputs_are_read_with_the_types_of_an_instance(today: pd.DataFrame, tmp_path: Path) -> None:
    instances = today.head(3).drop(columns=["raw_probability", OUTCOME])
    inputs = json.loads(instances.to_json(orient="records", date_format="iso"))
    missing = set(MAY_BE_MISSING) - {NUMBER}
    changes = dict.fromkeys(missing) | {NUMBER: round(EXAMPLE[NUMBER])}
    names = ("2013-03-15", "2013-03-16", "2013-03-17")
    asked = [Instance.model_validate(row | changes | {ID: name}) for row, name in zip(inputs, names, strict=True)]
    with open_log(tmp_path / "log.db") as log:
        append(log, [Logged(instance, "champion", "m/1", 0.1) for instance in asked])
    read = metrics.predictions(tmp_path / "log.db", "2013-03-15", "2013-03-15").set_index(ID)
    assert sorted(read.index) == ["2013-03-15", "2013-03-16", "2013-03-17"]  # ids, though they look like dates
    assert read[sorted(missing)].isna().all(axis=None)
    assert read[NUMBER].tolist() == [round(EXAMPLE[NUMBER])] * 3
    assert read[NUMBER].dtype == float
    assert set(read["day"]) == {"2013-03-15"}
    assert sorted(read[TIME]) == sorted(instances[TIME])


def test_a_time_with_fractions_of_a_second_is_a_time(today: pd.DataFrame, tmp_path: Path) -> None:
    inputs = json.loads(
        today.head(2)
        .drop(columns=["raw_probability", OUTCOME, *MAY_BE_MISSING])
        .to_json(orient="records", date_format="iso")
    )
    inputs[0][TIME], inputs[1][TIME] = (
        "2013-03-15T05:15:00.25",
        "2013-03-15T05:15:00",
    )
    with open_log(tmp_path / "log.db") as log:
        append(log, [Logged(instance, "champion", "m/1", 0.1) for instance in map(Instance.model_validate, inputs)])
    assert len(metrics.predictions(tmp_path / "log.db", "2013-03-15", "2013-03-15")) == 2


«% if kind == "binary" %»
def test_quality_is_measured_overall_and_by_group(today: pd.DataFrame) -> None:
    landed = today.dropna(subset=OUTCOME)
    values = metrics.quality_metrics(landed, label_of(landed) * 0.8 + 0.1)
    assert values["instances", ALL] == len(landed)
    assert values["«second»", ALL] == 1
    assert values["«loss»", ALL] == pytest.approx(-np.log(0.9))
    assert {cut for name, cut in values if name == "bias"} == {ALL, *(f"{cut} {one}" for cut in SLICES for one in landed[cut])}
    high = metrics.quality_metrics(landed, pd.Series(0.9, landed.index))
    assert high["bias", ALL] == pytest.approx(0.9 - label_of(landed).mean())
«% endif %»


def test_outcomes_count_once_however_often_they_come(tmp_path: Path) -> None:
    (tmp_path / OUTCOMES).mkdir()
    for day, delay in (("2013-03-01", 5.0), ("2013-03-02", 50.0)):
        table = pd.DataFrame({ID: ["a", "b"], OUTCOME: [delay, np.nan]})
        pd.concat([table, table]).to_parquet(tmp_path / OUTCOMES / f"{day}.parquet")
    landed = metrics.outcomes(tmp_path, ["2013-03-01", "2013-03-02", "2013-03-03"])
    assert landed.to_dict("records") == [{ID: "a", OUTCOME: 50.0}]


def test_a_day_measured_again_replaces_what_was_known(tmp_path: Path) -> None:
    with store.open_store(tmp_path / "metrics.db") as connection:
        store.write(connection, "2013-03-01", "m/1", {("«loss»", ALL): 0.6, ("«loss»", "one group"): 0.7})
        store.write(connection, "2013-03-01", "m/1", {("«loss»", ALL): 0.5})
        store.write(connection, "2013-03-01", "m/2", {("«loss»", ALL): 0.4, ("«second»", ALL): np.nan})
        assert store.read(connection, "m/1", "2013-02-01", "2013-03-01")["«loss»"].to_dict() == {
            "2013-03-01": 0.5
        }
        assert list(store.read(connection, "m/2", "2013-02-01", "2013-03-01")) == ["«loss»"]  # no figure is none
        assert store.by_slice(connection, "m/1", "2013-03-01", "«loss»") == {ALL: 0.5, "one group": 0.7}


class Constant:
    """A package that always says the same."""

    def __init__(self, label: float) -> None:
        self.label = label

    def predict(self, features: dict[str, np.ndarray]) -> np.ndarray:
        return np.where(np.isnan(features[NUMBER]), 0.9, self.label)


def test_an_answer_from_other_inputs_than_were_published_is_skew(today: pd.DataFrame) -> None:
    given = today.assign(model="m/1", «prediction»=np.where(today[NUMBER].isna(), 0.9, 0.2), intercept=0.0)
    again = {"m/1": Constant(0.2)}
    assert metrics.skew_metrics(given, today, again)["skew", ALL] == 0  # type: ignore[arg-type]
    given.loc[given.index[:20], "«prediction»"] += 0.01
    assert metrics.skew_metrics(given, today, again)["skew", ALL] == pytest.approx(20 / len(given))  # type: ignore[arg-type]
    unasked = metrics.skew_metrics(given.head(150), today, again)  # type: ignore[arg-type]
    assert unasked["unrequested", ALL] == pytest.approx(50 / len(given))


def test_questions_about_no_published_instance_are_counted_and_no_skew(today: pd.DataFrame) -> None:
    given = today.assign(model="m/1", «prediction»=np.where(today[NUMBER].isna(), 0.9, 0.2), intercept=0.0)
    what_if = given.head(20).assign(«prediction»=0.9, **{ID: [f"what if {n}" for n in range(20)]})
    again = {"m/1": Constant(0.2)}
    measured = metrics.skew_metrics(pd.concat([given, what_if]), today, again)  # type: ignore[arg-type]
    assert measured["skew", ALL] == 0
    assert measured["unpublished", ALL] == pytest.approx(20 / (len(given) + 20))
    only = metrics.skew_metrics(what_if, today, again)  # type: ignore[arg-type]
    assert ("skew", ALL) not in only


METRICS = """
# TYPE http_requests_total counter
http_requests_total{handler="/predict",method="POST",status="2xx"} 90.0
http_requests_total{handler="/predict",method="POST",status="4xx"} 7.0
http_requests_total{handler="/predict",method="POST",status="5xx"} 3.0
# TYPE http_request_duration_highr_seconds histogram
http_request_duration_highr_seconds_bucket{le="0.01"} 80.0
http_request_duration_highr_seconds_bucket{le="0.025"} 96.0
http_request_duration_highr_seconds_bucket{le="+Inf"} 100.0
http_request_duration_highr_seconds_count 100.0
http_request_duration_highr_seconds_sum 1.0
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 5.36870912e+08
"""


def test_the_service_is_measured_by_its_own_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION", "http://127.0.0.1:1")
    monkeypatch.setattr(metrics, "ask", lambda *_: [httpx.Response(200, text=METRICS)])
    measured = metrics.service_metrics({})
    assert {name: value for (name, of), value in measured.items() if of == ALL} == {
        "requests": 100,
        "errors": 3,
        "memory_mb": 512,
        "p95_ms": 25,
    }


def test_the_metrics_of_all_replicas_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION", "http://127.0.0.1:1")
    bigger = METRICS.replace("5.36870912e+08", "1.073741824e+09")
    monkeypatch.setattr(metrics, "ask", lambda *_: [httpx.Response(200, text=text) for text in (bigger, METRICS)])
    measured = metrics.service_metrics({})
    assert measured["requests", ALL] == 200
    assert measured["memory_mb", ALL] == 1024
    assert measured["answered_within", "0.025"] == 192


def test_a_slow_day_shows_however_many_fast_requests_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APPLICATION", "http://127.0.0.1:1")
    monkeypatch.setattr(metrics, "ask", lambda *_: [httpx.Response(200, text=METRICS)])
    fast = {"0.01": 80.0, "0.025": 80.0, "+Inf": 80.0}
    assert metrics.service_metrics(fast)["p95_ms", ALL] == np.inf  # of the 20 since then
    assert metrics.service_metrics({edge: 10 * count for edge, count in fast.items()})["p95_ms", ALL] == 25


def test_a_calibrated_answer_is_no_skew(today: pd.DataFrame) -> None:
    answered = calibrated(np.where(today[NUMBER].isna(), 0.9, 0.2), 0.3)
    given = today.assign(model="m/1", «prediction»=answered, intercept=0.3)
    again = {"m/1": Constant(0.2)}
    assert metrics.skew_metrics(given, today, again)["skew", ALL] == 0  # type: ignore[arg-type]
    assert metrics.skew_metrics(given.assign(intercept=0.2), today, again)["skew", ALL] == 1  # type: ignore[arg-type]
