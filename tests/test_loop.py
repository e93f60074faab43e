"""What the closed loop promises, on one running stage from spring into summer: the tests share it, in order."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pandas as pd
import psutil
import pytest
from mlflow import MlflowClient

import shared.demo.more_days
import shared.demo.play
import shared.stack.stage
from shared.base import ROOT
from shared.stack.stage import Stage, running
from shared.world.period import Period

from .conftest import elsewhere, run, version_at, wait_for

pytestmark = pytest.mark.slow

CLIENT = httpx.Client(timeout=30)
FIRST, DAYS = "2013-06-17", 17
MODEL = "flight-delays"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Bring level 4 up, and play spring into summer through it."""
    with elsewhere(tmp_path_factory.mktemp("stages")):
        stage = Stage(4)
        with running(stage):
            shared.demo.play.play(stage, Period.of(FIRST, DAYS), time.monotonic())
            yield stage


def rows(stage: Stage, query: str, *values: str) -> list[dict[str, Any]]:
    """Ask the store of metrics and decisions."""
    with closing(sqlite3.connect(stage.workspace / "metrics.db")) as store:
        store.row_factory = sqlite3.Row
        return [dict(row) for row in store.execute(query, values)]


def decisions(stage: Stage) -> list[dict[str, Any]]:
    return rows(stage, "SELECT * FROM decisions ORDER BY day, id")


def retraining(stage: Stage) -> dict[str, Any]:
    """Return the decision that led to a training."""
    (alarm,) = (decision for decision in decisions(stage) if decision["action"] == "retrain")
    return alarm


def registry(stage: Stage) -> MlflowClient:
    return MlflowClient(stage.environment["MLFLOW_TRACKING_URI"])


def champion(stage: Stage) -> str:
    return str(registry(stage).get_model_version_by_alias(MODEL, "champion").version)


def content(stage: Stage, version: str, name: str) -> str:
    """Return a file that was kept with a version's run."""
    run_id = registry(stage).get_model_version(MODEL, version).run_id
    answer = CLIENT.get(
        f"{stage.environment['MLFLOW_TRACKING_URI']}/get-artifact", params={"run_uuid": run_id, "path": name}
    )
    return answer.raise_for_status().text


def test_an_alarm_alone_led_to_a_better_champion(stage: Stage) -> None:
    alarm = retraining(stage)
    assert alarm["cause"] in ("drift", "performance")
    assert alarm["result"] == "version 2 is challenger with 50% of traffic"
    assert champion(stage) == "2"
    runs = registry(stage).search_runs(["1"], order_by=["attributes.start_time"])
    assert [run_.data.tags["trigger"] for run_ in runs] == ["manual", alarm["cause"]]


def test_one_id_leads_from_the_alarm_to_the_release(stage: Stage) -> None:
    alarm = retraining(stage)
    version = registry(stage).get_model_version(MODEL, "2")
    assert version.tags["alarm"] == alarm["id"]
    certificate = json.loads(content(stage, "2", "certificate.json"))
    assert certificate["alarm"] == alarm["id"]
    assert certificate["policy"] == alarm["policy"]
    flows = CLIENT.post(f"{stage.environment['PREFECT_API_URL']}/flow_runs/filter", json={}).json()
    assert alarm["id"] in {flow["name"] for flow in flows}
    requested = {"filter": {"event": {"name": ["flight-delays.retraining-requested"]}}}
    answer = CLIENT.post(f"{stage.environment['PREFECT_API_URL']}/events/filter", json=requested).json()
    assert [event["payload"]["alarm"] for event in answer["events"]] == [alarm["id"]]


def test_a_refit_in_the_shadow_said_that_it_was_worth_it(stage: Stage) -> None:
    evidence = json.loads(retraining(stage)["evidence"])
    assert float(evidence["excess log loss of a refit"].split()[0]) < -0.01
    asked = [decision for decision in decisions(stage) if decision["action"] == "refit in the shadow"]
    assert [decision["result"] for decision in asked] == ["a refit gains too little: the champion stays"] * len(
        asked
    )
    assert asked  # on the Mondays before


def test_the_calibration_had_made_up_for_part_of_what_the_champion_did_not_know(stage: Stage) -> None:
    query = "SELECT value FROM metrics WHERE name = ? AND slice = '' AND day BETWEEN ? AND ? AND model LIKE ?"
    week = "2013-06-24", "2013-06-28", f"{MODEL}/1@%"
    served, raw = ([row["value"] for row in rows(stage, query, name, *week)] for name in ("bias", "raw_bias"))
    assert len(served) == len(raw) == 5
    assert abs(sum(served)) < abs(sum(raw))


def test_the_card_has_the_figures_of_the_registry(stage: Stage) -> None:
    card = content(stage, "2", "MODEL_CARD.md")
    version = registry(stage).get_model_version(MODEL, "2")
    metrics = registry(stage).get_run(version.run_id).data.metrics
    for figure in (f"{metrics['holdout_log_loss']:.4f}", f"{metrics['holdout_auc']:.4f}"):
        assert figure in card
    assert version.tags["digest"] in card
    assert version.tags["alarm"] in card


def test_every_day_has_a_report_that_people_can_open(stage: Stage) -> None:
    endpoint = f"http://127.0.0.1:{stage.environment['EVIDENTLY_PORT']}/api"
    (project,) = wait_for("the pages", lambda: CLIENT.get(f"{endpoint}/projects").json())
    reports = CLIENT.get(f"{endpoint}/projects/{project['id']}/snapshots").json()
    assert len(reports) == DAYS - 1
    days = {
        row["day"] for row in rows(stage, "SELECT DISTINCT day FROM metrics WHERE name = 'out_of_range_share'")
    }
    assert len(days) == DAYS - 1


def test_what_was_served_is_what_was_published(stage: Stage) -> None:
    for name in ("skew", "unrequested", "errors"):
        values = rows(stage, "SELECT DISTINCT value FROM metrics WHERE name = ?", name)
        assert [row["value"] for row in values] == [0.0], name


def test_the_pipeline_is_released_with_the_application(stage: Stage) -> None:
    commit = subprocess.check_output(["git", "rev-parse", "--short=12", "HEAD"], cwd=ROOT, text=True).strip()
    stage.run("python -m ${LEVEL} deploy HEAD")

    def pipeline() -> bool:
        """Tell whether the pipeline runs the released code."""
        for process in psutil.process_iter():
            try:
                ours = process.environ().get("STAGE") == str(stage.workspace)
                if ours and "retraining import serve" in " ".join(process.cmdline()):
                    return process.cwd().endswith(commit)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return False

    wait_for("the pipeline's return", pipeline)


def test_a_release_of_the_application_leaves_nobody_without_an_answer(stage: Stage) -> None:
    over, most, clients = threading.Event(), 5_000, 8
    flights = pd.read_parquet(stage.workspace / "drop" / "flights" / f"{FIRST}.parquet").head(clients)

    def client(flight: dict[str, Any]) -> tuple[set[int], int]:
        """Ask, each time as a newcomer to either process; return whom it met and how often it was cut off."""
        met, cut = set(), 0
        for _ in range(most):
            time.sleep(0.02)  # some processor is left for the release
            try:
                endpoint = stage.fill("${APPLICATION}/predict")
                httpx.post(endpoint, json={"flights": [flight]}, timeout=30).raise_for_status()
            except httpx.TransportError:
                cut += 1
                continue
            met.add(version_at(stage).get("process", 0))
            if over.is_set():
                return met - {0}, cut
        raise AssertionError(f"the release was not over after {most} requests")

    before = version_at(stage)["process"]
    asked = json.loads(flights.to_json(orient="records", date_format="iso"))
    with ThreadPoolExecutor(clients) as pool:
        asking = [pool.submit(client, flight) for flight in asked]
        stage.run("python -m ${LEVEL} deploy HEAD")
        over.set()
    after = version_at(stage)["process"]
    assert before != after
    assert {process for asked_ in asking for process in asked_.result()[0]} == {before, after}
    # Connections that the old process had taken, and not yet read from, when it stopped.
    assert sum(asked_.result()[1] for asked_ in asking) <= clients // 4


def test_temperatures_in_other_units_change_no_answer_and_teach_nobody(stage: Stage) -> None:
    before = len(registry(stage).search_model_versions(f"name='{MODEL}'"))
    shared.demo.more_days.play_more(Stage(4), 2, "celsius")
    with closing(sqlite3.connect(stage.workspace / "predictions.db")) as log:
        log.row_factory = sqlite3.Row
        (row, *_) = log.execute("SELECT * FROM predictions WHERE flight_id LIKE '2013-07-05-%'").fetchall()
    asked, used = json.loads(row["inputs"])["temp"], json.loads(row["repaired"])["temp"]
    assert used == pytest.approx(asked * 9 / 5 + 32)
    corrections = json.loads((stage.workspace / "data" / "corrections.json").read_text())
    assert {day: each["transforms"] for day, each in corrections.items()} == {
        "2013-07-04": ["°C"],
        "2013-07-05": ["°C"],
    }
    assert len(registry(stage).search_model_versions(f"name='{MODEL}'")) == before
    assert not any(decision["action"] == "hold" for decision in decisions(stage))


def test_outcomes_that_stay_away_hold_all_trainings_until_they_come(stage: Stage) -> None:
    shared.demo.more_days.play_more(Stage(4), 4, "late")
    (hold,) = (decision for decision in decisions(stage) if decision["action"] == "hold")
    assert (hold["cause"], hold["status"]) == ("stale feed", "open")
    issue = stage.workspace / "issues" / f"{hold['id']}.md"
    assert "stale feed" in issue.read_text()
    shared.demo.more_days.play_more(Stage(4), 2)
    assert not issue.exists()
    assert all(decision["status"] != "open" for decision in decisions(stage))


def test_a_champion_that_does_harm_is_taken_back_by_itself(stage: Stage) -> None:
    before = champion(stage)
    done = run(stage, "-m", "tests.scripts.roll_back_any_harm")
    assert f"version {int(before) - 1} is champion again" in done.stdout, done.stderr[-2000:]
    assert champion(stage) == str(int(before) - 1)


@pytest.mark.full
def test_ten_thousand_requests_through_a_retraining_a_release_and_a_rollback_are_answered(stage: Stage) -> None:
    clients, requests, most = 4, 10_000, 40_000
    over, answered = threading.Event(), Counter[str]()
    flights = pd.read_parquet(stage.workspace / "drop" / "flights" / "2013-07-03.parquet").head(clients)
    asked = json.loads(flights.to_json(orient="records", date_format="iso"))

    def client(flight: dict[str, Any]) -> None:
        with httpx.Client(timeout=30, base_url=stage.fill("http://127.0.0.1:${PORT}")) as endpoint:
            while answered.total() < (requests if over.is_set() else most):
                answer = endpoint.post("/predict", json={"flights": [flight]}).raise_for_status()
                answered[answer.json()["predictions"][0]["model"]] += 1
                time.sleep(0.02)  # some processor is left for the retraining

    with ThreadPoolExecutor(clients) as pool:
        sent = [pool.submit(client, flight) for flight in asked]
        done = run(stage, "-m", "tests.scripts.retrain_and_roll_back")
        over.set()
        for client_ in sent:
            client_.result()
    assert done.returncode == 0, done.stderr[-2000:]
    assert requests <= answered.total() < most  # and not over before the models had changed
    assert len(answered) == 2
    assert champion(stage) == "1"


def test_a_training_that_is_killed_ends_and_the_next_alarm_trains(stage: Stage) -> None:
    command = [sys.executable, "-m", "tests.scripts.retrain", "2013-07-06"]
    environment = os.environ | stage.environment
    check = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    wait_for("the training", lambda: status_of(stage, "2013-07-06-performance") == "running")
    (pipeline,) = (each for each in stage.family() if "monitoring.retraining" in " ".join(each.cmdline()))
    for process in pipeline.children():
        process.kill()
    said, _ = check.communicate(timeout=60)  # not as long as a training may take
    assert "its training was killed" in said
    assert status_of(stage, "2013-07-06-performance") == "lost"
    runs = CLIENT.post(stage.fill("http://127.0.0.1:${PREFECT_PORT}/api/flow_runs/filter"), json={}).json()
    assert not [run["name"] for run in runs if run["state_type"] == "RUNNING"]
    done = run(stage, "-m", "tests.scripts.retrain", "2013-07-07")
    assert done.returncode == 0, done.stderr[-2000:]
    assert status_of(stage, "2013-07-07-performance") in ("done", "refused"), done.stdout


def status_of(stage: Stage, decision: str) -> str:
    """Return what has become of a decision; empty before it is recorded."""
    found = rows(stage, "SELECT status FROM decisions WHERE id = ?", decision)
    return str(found[0]["status"]) if found else ""
