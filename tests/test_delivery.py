"""What the automated delivery promises, tried on one running stage: the tests share it, from top to bottom."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sized
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import psutil
import pytest

import shared.demo.more_days
import shared.demo.play
import shared.stack.stage
import shared.world.bad_models
from shared.base import ROOT, StageError, git
from shared.stack.stage import Stage, running
from shared.world.period import Period

from .conftest import PATIENCE, answers, elsewhere, free_port, run, version_at, wait_for

pytestmark = pytest.mark.slow

CLIENT = httpx.Client(timeout=30)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Bring level 3 up until version 2, trained on 1 July, is the challenger of version 1."""
    with elsewhere(tmp_path_factory.mktemp("stages")):
        stage = Stage(3)
        with running(stage):
            shared.demo.play.play(stage, Period.of("2013-06-30", 3), time.monotonic())
            yield stage


def there_are(count: int, things: Sized) -> Callable[[], bool]:
    """Return a condition: so many things have gathered."""
    return lambda: len(things) >= count


def models(stage: Stage, port: str = "PORT") -> dict[str, Any]:
    """Return which models a service has; the application's commit and its process are another matter."""
    version = version_at(stage, port)
    return {name: value for name, value in version.items() if name not in ("application", "process")}


def serves(stage: Stage, champion: str, challenger: str | None) -> bool:
    """Tell whether production answers with these versions, and none else."""
    version = version_at(stage)
    return bool(version) and [number_of(version["model"]), number_of(version["challenger"])] == [
        champion,
        challenger,
    ]


def number_of(model: str | None) -> str | None:
    """Return the version in a model's name: 2 in `flight-delays/2@0123456789ab`."""
    return model.partition("/")[2].partition("@")[0] if model else None


def flights_of(stage: Stage, day: str) -> list[dict[str, Any]]:
    """Return the flights published for a day, as a client sends them."""
    table = pd.read_parquet(stage.workspace / "drop" / "flights" / f"{day}.parquet")
    flights: list[dict[str, Any]] = json.loads(table.to_json(orient="records", date_format="iso"))
    return flights


def ask(stage: Stage, *flights: dict[str, Any]) -> list[dict[str, Any]]:
    """Return production's predictions."""
    endpoint = stage.fill("http://127.0.0.1:${PORT}/predict")
    answer = CLIENT.post(endpoint, json={"flights": flights})
    answer.raise_for_status()
    predictions: list[dict[str, Any]] = answer.json()["predictions"]
    return predictions


def arms(stage: Stage, flights: list[dict[str, Any]]) -> dict[str, str]:
    """Return the arm that answers each flight number."""
    answers = ask(stage, *flights)
    return {
        f"{flight['carrier']}{flight['flight']}": answer["arm"]
        for flight, answer in zip(flights, answers, strict=True)
    }


def logged(stage: Stage, prefix: str) -> dict[str, sqlite3.Row]:
    """Return the last logged answer of every flight whose id begins like this."""
    with closing(sqlite3.connect(stage.workspace / "predictions.db")) as log:
        log.row_factory = sqlite3.Row
        rows = log.execute("SELECT * FROM predictions WHERE flight_id GLOB ? ORDER BY id", [f"{prefix}*"])
        return {row["flight_id"]: row for row in rows}


def production(stage: Stage) -> list[psutil.Process]:
    """Return the processes of the application, not those of staging."""
    processes = []
    for process in psutil.process_iter():
        try:
            command, environment = " ".join(process.cmdline()), process.environ()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
        ours = environment.get("STAGE") == str(stage.workspace) and environment.get("ALIAS") != "staging"
        if ours and ".service:asgi" in command:
            processes.append(process)
    return processes


def ancestors(process: psutil.Process) -> list[str]:
    """Return the command lines of the processes that a process descends from."""
    return [" ".join(parent.cmdline()) for parent in process.parents()]


def kill_production(stage: Stage) -> None:
    """Kill the application's processes, with no chance for any of them to say goodbye."""
    killed = production(stage)
    assert killed
    for process in killed:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(killed, timeout=PATIENCE)


def registry(stage: Stage, method: str, path: str, **content: str) -> dict[str, Any]:
    """Ask the model registry over its REST interface, or tell it something."""
    endpoint = stage.fill("${MLFLOW_TRACKING_URI}/api/2.0/mlflow/") + path
    content |= {"name": "flight-delays"}
    kind = {"params": content} if method == "GET" else {"json": content}
    answer = CLIENT.request(method, endpoint, **kind)  # type: ignore[arg-type]
    answer.raise_for_status()
    return dict(answer.json())


def newest_version(stage: Stage) -> str:
    model = registry(stage, "GET", "registered-models/get")["registered_model"]
    return max((version["version"] for version in model["latest_versions"]), key=int)


@contextmanager
def tampered(path: Path) -> Iterator[None]:
    """Change one byte of a file, for a while."""
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    try:
        yield
    finally:
        path.write_bytes(whole)


def certificate_of(stage: Stage, number: str) -> Path:
    """Return where the artifact store keeps the certificate of a version."""
    run_id = registry(stage, "GET", "model-versions/get", version=number)["model_version"]["run_id"]
    (path,) = (stage.workspace / "artifacts").glob(f"*/{run_id}/artifacts/certificate.json")
    return path


def test_a_better_model_becomes_challenger_by_itself(stage: Stage) -> None:
    version = version_at(stage)
    assert serves(stage, "1", "2"), version
    assert version["challenger_share"] == 0.5
    assert version["problem"] is None


def test_what_was_released_is_a_bento_that_serves_without_registry_or_stage(stage: Stage, tmp_path: Path) -> None:
    version = registry(stage, "GET", "model-versions/get", version="1")["model_version"]
    tags = {tag["key"]: tag["value"] for tag in version["tags"]}
    assert tags["bento"] == f"flight-delays:{tags['digest'][:12]}"
    source = Path(stage.environment["BENTOML_HOME"], "bentos", *tags["bento"].split(":"), "src")
    golden = json.loads((source / "package" / "package.json").read_text())["golden"]
    away, port = tmp_path / "away", free_port()  # with nothing of the stage around it
    shutil.copytree(source, away)
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    serving = [
        stage.environment["SERVING"],
        "-m",
        "uvicorn",
        f"{stage.package}.serving.service:asgi",
        "--port",
        str(port),
    ]
    with subprocess.Popen(serving, cwd=away, env=clean | {"BENTOML_HOME": str(tmp_path)}) as server:
        try:
            endpoint = f"http://127.0.0.1:{port}/"
            wait_for("the Bento's answer", lambda: answers(endpoint + "healthz"))
            flights = [request["flight"] for request in golden]
            predictions = CLIENT.post(endpoint + "predict", json={"flights": flights}).json()["predictions"]
        finally:
            server.terminate()
    assert {prediction["model"] for prediction in predictions} == {f"flight-delays@{tags['digest'][:12]}"}
    expected = [request["late_probability"] for request in golden]
    assert [prediction["late_probability"] for prediction in predictions] == pytest.approx(expected, abs=1e-6)


def test_a_flight_number_keeps_its_arm(stage: Stage) -> None:
    flights = flights_of(stage, "2013-07-01")
    first = arms(stage, flights)
    assert 0.4 <= sum(arm == "challenger" for arm in first.values()) / len(first) <= 0.6
    next_day = arms(stage, flights_of(stage, "2013-07-02"))
    assert {name: next_day[name] for name in first if name in next_day}.items() <= first.items()
    kill_production(stage)
    wait_for("the service's return", lambda: serves(stage, "1", "2"))
    assert arms(stage, flights) == first


def test_every_answer_is_in_the_log(stage: Stage) -> None:
    flights = {flight["flight_id"]: flight for flight in flights_of(stage, "2013-07-02")}
    log = logged(stage, "2013-07-02-")
    answers = {answer["flight_id"]: answer for answer in ask(stage, *flights.values())}
    assert set(log) == set(flights)
    for name, row in log.items():
        assert (row["arm"], row["model"]) == (answers[name]["arm"], answers[name]["model"])
        assert row["late_probability"] == answers[name]["late_probability"]
        assert json.loads(row["inputs"]).items() >= {"origin": flights[name]["origin"]}.items()


def test_days_go_on_in_a_running_stage_also_with_incidents(stage: Stage) -> None:
    before = models(stage)
    other = Stage(3)  # as another terminal has it
    shared.demo.more_days.play_more(other, 1)
    shared.demo.more_days.play_more(other, 1, "gap")
    assert (stage.workspace / "last_day").read_text() == "2013-07-04"
    for day, without in {"2013-07-03": False, "2013-07-04": True}.items():
        flights = flights_of(stage, day)
        assert set(logged(stage, day)) == {flight["flight_id"] for flight in flights}
        assert all(flight["temp"] is None for flight in flights if flight["origin"] == "JFK") is without
    assert (stage.workspace / "data" / "outcomes" / "2013-07-03.parquet").exists()
    assert models(stage) == before
    assert stage.run_day(date(2013, 7, 4))  # the daily runs of the first terminal are still there


def send(stage: Stage, flight: dict[str, Any], prefix: str, times: int, answered: dict[str, Any]) -> int:
    """Ask about a flight again and again, under other ids; collect the answers, return how many failed."""
    failed = 0
    for n in range(times):
        name = f"{prefix}-{n}"
        try:
            (answered[name],) = ask(stage, flight | {"flight_id": name})
        except httpx.HTTPError:
            failed += 1
            wait_for("the service's return", lambda: version_at(stage).get("model"))
    return failed


def test_no_answer_is_missing_from_the_log_after_a_kill(stage: Stage) -> None:
    answered: dict[str, Any] = {}
    with ThreadPoolExecutor() as pool:
        sent = pool.submit(send, stage, flights_of(stage, "2013-07-02")[0], "kill", 300, answered)
        wait_for("a hundred answers", lambda: len(answered) >= 100)
        kill_production(stage)
        assert sent.result() >= 1
    log = logged(stage, "kill-")
    assert len(answered) >= 200
    assert {name: log[name]["late_probability"] for name in answered} == {
        name: answer["late_probability"] for name, answer in answered.items()
    }
    assert serves(stage, "1", "2")


def test_the_service_comes_back_with_both_arms_when_it_is_killed(stage: Stage) -> None:
    killed = production(stage)
    kill_production(stage)

    def whole() -> bool:
        """Tell whether the service is there anew, and somebody would start it again."""
        processes = production(stage)
        is_kept = all("supervisord" in " ".join(ancestors(process)) for process in processes)
        return bool(processes) and is_kept and not set(processes) & set(killed) and serves(stage, "1", "2")

    wait_for("the service's return", whole)


def test_an_answer_leads_back_to_the_raw_file(stage: Stage) -> None:
    flight = flights_of(stage, "2013-07-02")[0]["flight_id"]
    traced = run(stage, "-m", stage.package, "trace", flight)
    assert traced.returncode == 0, traced.stderr
    stations = [line.split("  ")[0] for line in traced.stdout.splitlines()]
    assert list(dict.fromkeys(stations)) == [
        "prediction",
        "certificate",
        "tests",
        "package",
        "run",
        "snapshot",
        "raw file",
    ]
    with tampered(stage.workspace / "data" / "flights" / "2013-07-02.parquet"):
        broken = run(stage, "-m", stage.package, "trace", flight)
    assert broken.returncode != 0
    assert "raw file flights/2013-07-02.parquet" in broken.stderr


def test_an_answer_is_explained_by_what_each_feature_added(stage: Stage) -> None:
    log = logged(stage, "2013-07-02-")
    for arm in ("champion", "challenger"):
        flight, row = next((name, row) for name, row in log.items() if row["arm"] == arm)
        explained = run(stage, "-m", stage.package, "explain", flight)
        assert explained.returncode == 0, explained.stderr
        *added, total = (float(line.split()[0]) for line in explained.stdout.splitlines())
        late = row["late_probability"]
        assert total == pytest.approx(np.log(late / (1 - late)), abs=1e-4)  # as printed
        assert sum(added) == pytest.approx(total, abs=1e-3)
        assert len(added) == 1 + 15
    nobody = run(stage, "-m", stage.package, "explain", "2013-07-02-ZZ1-JFK")
    assert "there is no prediction for" in nobody.stderr.splitlines()[-1]


def test_a_raw_file_that_changed_or_went_after_the_training_is_named(stage: Stage) -> None:
    flight, name = flights_of(stage, "2013-07-02")[0]["flight_id"], "outcomes/2013-02-14.parquet"
    collected, dropped = (stage.workspace / folder / name for folder in ("data", "drop"))
    with tampered(collected), tampered(dropped):  # the same way in both places: only the training knows better
        broken = run(stage, "-m", stage.package, "trace", flight)
    assert f"the trace breaks at the raw file {name}" in broken.stderr
    aside = collected.rename(collected.with_suffix(".aside"))
    missing = run(stage, "-m", stage.package, "trace", flight)
    aside.rename(collected)
    assert "Traceback" not in missing.stderr
    assert f"{name} cannot be read" in missing.stderr


@pytest.mark.parametrize(
    ("kind", "reasons"),
    [
        ("bad", ("not_worse_than_champion",)),
        pytest.param("local", ("origin JFK",), marks=pytest.mark.full),
        ("small", ("stopped by 1 of 12 gates: nobody_is_left_out: small carrier",)),
        pytest.param("slow", ("fast_enough",), marks=pytest.mark.full),
        ("broken", ("a.package.nobody.installed",)),
        ("renamed", ("contract_agrees: they differ in 'temp",)),
    ],
    ids=["bad", "local", "small", "slow", "broken", "renamed"],
)
def test_a_candidate_with_a_defect_is_refused(stage: Stage, kind: str, reasons: tuple[str, ...]) -> None:
    before = models(stage)
    delivery = shared.world.bad_models.deliver_candidate(stage, kind)
    assert not delivery.delivered
    assert any(reason in delivery.text for reason in reasons), delivery.text
    assert models(stage) == before


def deliver_candidate(stage: Stage, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Train a candidate and deliver it, with something different this time."""
    return run(stage, "-m", "tests.scripts.deliver_candidate", *arguments)


def test_a_failing_test_refuses_the_release_by_name(stage: Stage, tmp_path: Path) -> None:
    before = models(stage)
    (tmp_path / "test_more.py").write_text("def test_that_fails():\n    assert 1 == 2, 'of course not'\n")
    refused = deliver_candidate(stage, "with_another_test", str(tmp_path / "test_more.py"))
    message = refused.stderr.strip().splitlines()[-1]
    assert "stopped by 1 of 12 gates: passes_tests: 1 of " in message
    assert "test_that_fails (AssertionError: of course not" in message
    assert models(stage) == before


def test_the_report_of_the_tests_goes_with_the_release(stage: Stage) -> None:
    for number in ("1", "2"):
        certified = certificate_of(stage, number)
        certificate, report = json.loads(certified.read_text()), certified.with_name("tests.xml").read_bytes()
        assert certificate["gates"]["passes_tests"]["passed"]
        assert certificate["tests"]["sha256"] == hashlib.sha256(report).hexdigest()
        assert certificate["tests"]["package"] == certificate["digest"]
        assert f'name="package" value="{certificate["digest"]}"'.encode() in report
        assert certificate["tests"]["passed"] > 5
        assert b"test_staging_answers_with_this_package_and_no_other" in report
        assert b"skipped" not in report.replace(b'skipped="0"', b"")


def test_a_file_dropped_into_the_serving_folder_changes_nothing(stage: Stage) -> None:
    before = models(stage)
    serving = stage.workspace / "serving"
    (package,) = (folder for folder in serving.iterdir() if before["challenger"].endswith(folder.name[:12]))
    dropped = serving / "0000"
    dropped.mkdir()
    for path in package.iterdir():
        (dropped / path.name).write_bytes(path.read_bytes())
    kill_production(stage)
    wait_for("the service's return", lambda: serves(stage, "1", "2"))
    assert models(stage) == before


def test_a_tampered_certificate_is_refused_and_the_champion_goes_on(stage: Stage) -> None:
    with tampered(certificate_of(stage, "2")):
        kill_production(stage)  # so that the service fetches the challenger anew
        wait_for("the service's return", lambda: version_at(stage))
        version = wait_for("a problem", lambda: version_at(stage).get("problem") and version_at(stage))
        assert "version 2: the certificate was changed" in version["problem"]
        assert version["challenger"] is None
        (answer,) = ask(stage, flights_of(stage, "2013-07-02")[0])
        assert number_of(answer["model"]) == "1"
    wait_for("the challenger's return", lambda: serves(stage, "1", "2"))


def test_a_certified_version_awaits_approval_where_a_person_decides(stage: Stage) -> None:
    before = models(stage)
    delivered = deliver_candidate(stage, "with_approval")
    number = newest_version(stage)
    assert delivered.stdout.splitlines()[-1] == f"version {number} is certified and awaits approval", (
        delivered.stderr
    )
    assert models(stage) == before
    waiting = [line for line in run(stage, "-m", stage.package, "models").stdout.splitlines() if "awaits" in line]
    assert [line.split()[0] for line in waiting] == [number]
    with pytest.raises(StageError, match="version 1 does not await approval"):
        stage.run("python -m ${LEVEL} approve 1")
    stage.run(f"python -m ${{LEVEL}} approve {number}")
    assert serves(stage, "1", number)
    with pytest.raises(StageError, match=f"version {number} does not await approval"):
        stage.run(f"python -m ${{LEVEL}} approve {number}")


def test_a_version_that_does_not_exist_cannot_be_approved(stage: Stage) -> None:
    with pytest.raises(StageError, match="there is no version '99'"):
        stage.run("python -m ${LEVEL} approve 99")


def test_a_delivery_that_was_killed_is_finished_by_the_next_daily_run(stage: Stage) -> None:
    before = models(stage)
    assert deliver_candidate(stage, "killed_before_staging").returncode == -signal.SIGKILL
    number = newest_version(stage)
    assert models(stage) == before
    daily_run = run(stage, "-m", stage.package, "daily", "2013-07-02")
    assert f"version {number} is challenger" in daily_run.stdout, daily_run.stderr
    assert serves(stage, "1", number)


def test_a_release_that_was_killed_is_finished_without_another_judgement(stage: Stage) -> None:
    # The challenger before would be withdrawn first, and that be recorded.
    stage.run("python -c \"from ${LEVEL}.delivery import promotion; promotion.withdraw('a test')\"")
    assert deliver_candidate(stage, "killed_after_the_release").returncode == -signal.SIGKILL
    number = newest_version(stage)
    assert serves(stage, "1", number)
    sealed = certificate_of(stage, number).read_bytes()
    daily_run = run(stage, "-m", stage.package, "daily", "2013-07-02")
    assert f"version {number} is challenger" in daily_run.stdout, daily_run.stderr
    assert certificate_of(stage, number).read_bytes() == sealed


def test_a_release_of_the_code_waits_until_staging_is_free(stage: Stage) -> None:
    delivered = deliver_candidate(stage, "while_the_code_is_released")
    number = newest_version(stage)
    assert f"version {number} is challenger" in delivered.stdout, delivered.stderr
    head = git(ROOT, "rev-parse", "--short=12", "HEAD").strip()
    wait_for("the release", lambda: version_at(stage).get("application") == head)
    wait_for("its models", lambda: serves(stage, "1", number))


def test_a_rollback_brings_the_champion_before_back(stage: Stage) -> None:
    challenger = number_of(version_at(stage)["challenger"])
    assert challenger
    promote = f"from {stage.package}.delivery.promotion import *; promote('a test', date(2013, 7, 4))"
    promoted = run(stage, "-c", promote)
    assert promoted.returncode == 0, promoted.stderr
    assert serves(stage, challenger, None)
    stage.run("python -m ${LEVEL} rollback")
    assert serves(stage, "1", None)


def test_a_second_rollback_does_not_bring_back_what_was_rolled_back_from(stage: Stage) -> None:
    again = run(stage, "-m", stage.package, "rollback")
    assert again.returncode != 0
    assert "there is no earlier champion to go back to" in again.stderr
    assert serves(stage, "1", None)


def test_the_whole_history_is_kept(stage: Stage) -> None:
    transitions = run(stage, "-m", stage.package, "history").stdout.splitlines()
    moments = [line.partition(" ")[0] for line in transitions]
    assert moments == sorted(moments)  # in one second, several things can happen
    for transition in (
        "version 1 became champion",
        "version 2 became challenger",
        "version 2 withdrawn",
        "rolled back to",
    ):
        assert any(transition in line for line in transitions), transition


@dataclass(frozen=True)
class Timed:
    """An answer, and between which moments it was asked and given, on the monotonic clock of this machine."""

    asked: float
    given: float
    arm: str
    version: str | None


def load(stage: Stage, flight: dict[str, Any], times: int, answered: list[Timed], over: threading.Event) -> None:
    """Be one client that asks about a flight again and again, until enough is over; whatever fails is raised."""
    endpoint = stage.fill("http://127.0.0.1:${PORT}/predict")
    with httpx.Client(timeout=30) as client:
        for n in range(MOST * times):
            if n >= times and over.is_set():
                return
            asked = time.monotonic()
            answer = client.post(endpoint, json={"flights": [flight]})
            answer.raise_for_status()
            (prediction,) = answer.json()["predictions"]
            answered.append(Timed(asked, time.monotonic(), prediction["arm"], number_of(prediction["model"])))


MOST = 10  # times as many requests, while the models are moved
MOVES = {
    "release 2 0.5": {("champion", "1"), ("challenger", "2")},
    "promote": {("champion", "2")},
    "rollback": {("champion", "1")},
}  # each with who may answer afterwards; while a move lasts, so may those of before


def test_ten_thousand_requests_while_models_change_are_answered_by_who_serves(stage: Stage) -> None:
    clients, times = 8, 1250
    flights = flights_of(stage, "2013-07-02")
    answered: list[Timed] = []
    phases = [(0.0, {("champion", "1")})]  # since when, who may answer
    with (
        ThreadPoolExecutor(clients) as pool,
        subprocess.Popen(
            [sys.executable, "-m", "tests.scripts.move_models"],
            cwd=ROOT,
            env=os.environ | stage.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as mover,
    ):
        assert mover.stdin
        assert mover.stdout
        over = threading.Event()
        sent = [pool.submit(load, stage, flight, times, answered, over) for flight in flights[:clients]]
        for n, (move, afterwards) in enumerate(MOVES.items(), start=1):
            wait_for("requests", there_are(n * clients * times // 4, answered))
            mover.stdin.write(f"{move}\n")
            mover.stdin.flush()
            begun, done = map(float, mover.stdout.readline().split())
            phases += [(begun, phases[-1][1] | afterwards), (done, afterwards)]
        assert not all(client.done() for client in sent), "the moves must be over before the requests are"
        over.set()
        mover.stdin.close()
        for client in sent:
            client.result()
    assert clients * times <= len(answered) <= MOST * clients * times
    ends = [since for since, _ in phases[1:]] + [float("inf")]
    for answer in answered:
        spans = zip(phases, ends, strict=True)
        allowed = set().union(
            *(who for (since, who), end in spans if since <= answer.given and answer.asked <= end)
        )
        assert (answer.arm, answer.version) in allowed, answer
    assert {(answer.arm, answer.version) for answer in answered} == set().union(*MOVES.values())
    assert serves(stage, "1", None)


def processes(stage: Stage) -> list[psutil.Process]:
    """Return all processes of the stage but the process manager, which starts them again, and the daily runs."""
    processes = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("STAGE") == str(stage.workspace)
            if ours and "supervisord" not in " ".join(process.cmdline()) and "daily" not in process.cmdline():
                processes.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return sorted(processes, key=lambda process: process.pid)


def whole(stage: Stage) -> dict[str, Any]:
    """Return what the registry holds, or nothing while it does not answer."""
    try:
        model = registry(stage, "GET", "registered-models/get")["registered_model"]
    except httpx.HTTPError:
        return {}
    return {name: model.get(name) for name in ("aliases", "tags", "latest_versions")}


def test_whatever_is_killed_comes_back_and_nothing_is_lost(stage: Stage) -> None:
    random, before = np.random.default_rng(20130702), whole(stage)
    staged = models(stage, "STAGING_PORT")
    endpoints = [stage.fill(f"http://127.0.0.1:${{{port}}}") for port in ("PORT", "STAGING_PORT", "MLFLOW_PORT")]
    health = [
        f"{endpoints[0]}/healthz",
        f"{endpoints[1]}/healthz",
        f"{endpoints[2]}/health",
        f"{stage.fill('${PREFECT_API_URL}')}/health",
    ]
    answered: dict[str, Any] = {}
    flight = flights_of(stage, "2013-07-02")[0]
    names: list[str] = []
    with ThreadPoolExecutor() as pool:
        for n in range(10):
            sent = pool.submit(send, stage, flight, f"chaos-{n}", 60, answered)
            goal = len(answered) + int(random.integers(40))
            wait_for("some answers", there_are(goal, answered))
            alive = processes(stage)
            victim = alive[int(random.integers(len(alive)))]
            names.append(" ".join(victim.cmdline())[:120])
            victim.send_signal(signal.SIGKILL)
            sent.result()
            for address in health:
                wait_for(f"{address} after the end of {names[-1]}", partial(answers, address))
    assert len(set(names)) >= 3, names
    log = logged(stage, "chaos-")
    assert {name: log[name]["late_probability"] for name in answered} == {
        name: answer["late_probability"] for name, answer in answered.items()
    }
    assert whole(stage) == before
    wait_for("both services", lambda: serves(stage, "1", None) and models(stage, "STAGING_PORT") == staged)
    with closing(sqlite3.connect(stage.workspace / "mlflow.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_champion_that_somebody_deletes_from_the_registry_goes_on_and_people_are_told(stage: Stage) -> None:
    flights = flights_of(stage, "2013-07-02")
    arm = arms(stage, flights)
    flight = next(each for each in flights if arm[f"{each['carrier']}{each['flight']}"] == "champion")
    probability = ask(stage, flight)[0]["late_probability"]
    registry(stage, "DELETE", "model-versions/delete", version="1")
    wait_for("the problem", lambda: "names no champion" in str(version_at(stage).get("problem")))
    assert ask(stage, flight)[0]["late_probability"] == probability
    kill_production(stage)
    wait_for("the service", lambda: serves(stage, "1", None))
    assert ask(stage, flight)[0]["late_probability"] == probability
    told = [event.text for event in stage.run_day(date(2013, 7, 20)) if event.kind == "failed"]
    assert [text for text in told if "the registry names no champion" in text], told
