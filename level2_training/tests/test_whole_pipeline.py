"""The whole pipeline, taken away into a repository of its own, with real servers and a real application."""

import hashlib
import json
import os
import pickle
import re
import shutil
import signal
import socket
import string
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import psutil
import pytest
import yaml

from ..config.problem import ID, NAME, OUTCOME, ROWS
from ..data.features import make_features
from .conftest import make_flights, write_days
from .example import NUMBER

pytestmark = pytest.mark.slow

PACKAGE = Path(__file__).resolve().parents[1]
PATIENCE = 120.0  # seconds for anything to happen
STEPS = ["collect_files", "validate", "take_snapshot", "fit", "judge", "register"]
FEATURES = set(make_features(make_flights(days=1)))


def wait_for(what: str, condition: Callable[[], Any]) -> Any:
    """Wait until the condition returns something true, and return that."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, f"{what} did not happen within {PATIENCE:.0f} s"
        time.sleep(0.05)
    return result


def answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5).is_success
    except httpx.TransportError:
        return False


def wait_for_answer(address: str) -> None:
    wait_for(f"an answer of {address}", lambda: answers(address))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def version_in(text: str) -> str:
    (version,) = re.findall(r"(?:registered|trained) version (\d+)", text)
    return str(version)


@dataclass(frozen=True)
class Site:
    """A copy of the package in a repository of its own, and a stage that it writes to."""

    root: Path
    stage: Path
    environment: dict[str, str]

    @classmethod
    def make(cls, folder: Path) -> "Site":
        """Copy the package to `folder`, commit it, and choose free ports."""
        root = folder / "repository"
        shutil.copytree(PACKAGE, root / PACKAGE.name, ignore=shutil.ignore_patterns("tests", "__pycache__"))
        shutil.copy(PACKAGE.parent / "requirements.lock", root)
        (root / ".gitignore").write_text("__pycache__/\n")
        who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
        for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message", "taken away"]):
            subprocess.run(["git", "-C", str(root), *who, *command], check=True)
        environment = {
            "CACHE": str(folder / "cache"),
            "HOME": str(folder / "home"),
            "LEVEL": PACKAGE.name,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(root),
        }
        (folder / "home").mkdir()
        description = yaml.safe_load((PACKAGE / "stage.yaml").read_text())
        environment |= {name: str(free_port()) for name in description["ports"]}
        for name in ("DO_NOT_TRACK", "DVC_NO_ANALYTICS", "MLFLOW_DISABLE_TELEMETRY"):
            environment[name] = os.environ[name]
        environment["PREFECT_SERVER_ANALYTICS_ENABLED"] = "false"
        return cls(root, folder / "stage", environment)

    def all_variables(self) -> dict[str, str]:
        """Return the environment of a process of this stage, as stage.yaml describes it."""
        variables = self.environment | {"STAGE": str(self.stage), "ROOT": str(self.root)}
        for name, value in yaml.safe_load((PACKAGE / "stage.yaml").read_text())["environment"].items():
            variables[name] = string.Template(str(value)).substitute(variables)
        return os.environ | variables

    def beside(self, name: str, flights: pd.DataFrame) -> "Site":
        """Return another stage, with these flights published, that is served by the same servers."""
        other = replace(self, stage=self.stage.with_name(name))
        write_days(flights, other.stage / "drop")
        return other

    def start(self, *command: str, talk: bool = False) -> "subprocess.Popen[str]":
        """Start a process of this stage in a session of its own, perhaps one to talk with."""
        (self.stage / "logs").mkdir(parents=True, exist_ok=True)
        with (self.stage / "logs" / "test.log").open("a") as log:
            return subprocess.Popen(
                command,
                cwd=self.root,
                env=self.all_variables(),
                stdin=subprocess.PIPE if talk else subprocess.DEVNULL,
                stdout=subprocess.PIPE if talk else log,
                stderr=log,
                text=True,
                start_new_session=True,
            )

    def call(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run one command of the package to its end."""
        return subprocess.run(
            [sys.executable, "-m", PACKAGE.name, *command],
            cwd=self.root,
            env=self.all_variables(),
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE,
        )

    def train(self, *arguments: str) -> str:
        """Train by hand, and return the version that was registered."""
        done = self.call("train", *arguments)
        assert done.returncode == 0, done.stderr[-3000:]
        return version_in(done.stdout)

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}{path}"

    def serving(self) -> str | None:
        """Return the model that the application answers with."""
        try:
            return str(httpx.get(self.address("/version"), timeout=5).json()["model"])
        except httpx.TransportError:
            return None

    def release(self, version: str) -> None:
        """Release a version, and wait until the application answers with it."""
        done = self.call("release", version)
        assert done.returncode == 0, done.stderr
        wait_for(f"an application with model {version}", lambda: self.serving() == f"{NAME}/{version}")

    def ask(self, flights: pd.DataFrame) -> list[float]:
        """Return the application's answers."""
        body = flights.drop(columns=OUTCOME).to_json(orient="records", date_format="iso")
        headers = {"content-type": "application/json"}
        answer = httpx.post(self.address("/predict"), content=f'{{"{ROWS}": {body}}}', headers=headers, timeout=30)
        assert answer.is_success, answer.text
        return [prediction["late_probability"] for prediction in answer.json()["predictions"]]


@pytest.fixture(scope="module")
def flights() -> pd.DataFrame:
    return make_flights(days=16, per_day=250)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, flights: pd.DataFrame) -> Iterator[Site]:
    """Take the package away, publish two weeks, start its processes, and end them all."""
    site = Site.make(tmp_path_factory.mktemp("away"))
    write_days(flights, site.stage / "drop")
    processes = site.start("supervisord", "-c", f"{PACKAGE.name}/supervisord.conf")
    try:
        variables = site.all_variables()
        wait_for_answer(f"{variables['MLFLOW_TRACKING_URI']}/health")
        wait_for_answer(f"{variables['PREFECT_API_URL']}/health")
        wait_for_answer(site.address("/healthz"))
        yield site
    finally:
        family = [psutil.Process(processes.pid), *psutil.Process(processes.pid).children(recursive=True)]
        processes.terminate()
        _, alive = psutil.wait_procs(family, timeout=20)
        for survivor in alive:
            survivor.kill()
        processes.wait()


@pytest.fixture(scope="module")
def tracking(site: Site) -> Iterator[Any]:
    """Return a client of the tracking server and the registry."""
    from mlflow import MlflowClient

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", site.all_variables()["MLFLOW_TRACKING_URI"])
        yield MlflowClient()


@pytest.fixture(scope="module")
def run_day(site: Site) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    """Return what runs a day of the stage: one process for all days."""
    daily_run = site.start(sys.executable, "-m", PACKAGE.name, "daily", "-", talk=True)
    ask, answer = daily_run.stdin, daily_run.stdout
    assert ask is not None
    assert answer is not None

    def run_day(day: str) -> list[dict[str, Any]]:
        ask.write(f"{day}\n")
        ask.flush()
        return list(json.loads(answer.readline())["events"])

    yield run_day
    ask.close()  # no day comes any more, so it ends by itself
    assert daily_run.wait(timeout=PATIENCE) == 0
    answer.close()


@pytest.fixture(scope="module")
def first(site: Site, run_day: Callable[[str], list[dict[str, Any]]]) -> str:
    """Let the schedule train for the first time, and release what came of it."""
    assert "trained" not in [event["kind"] for event in run_day("2013-03-25")]
    (version,) = [event["facts"]["version"] for event in run_day("2013-04-01") if event["kind"] == "trained"]
    site.release(version)
    return version


@pytest.fixture(scope="module")
def second(site: Site, tracking: Any, first: str) -> str:
    """Train by hand from the snapshot of the first training."""
    return site.train("--snapshot", tracking.get_model_version(NAME, first).tags["snapshot"])


def versions(tracking: Any) -> dict[str, str]:
    """Return the registered versions and their runs."""
    return {str(version.version): version.run_id for version in tracking.search_model_versions(f"name='{NAME}'")}


def registry() -> Any:
    from ..registry import models  # seconds, which the quick tests can do without

    return models


def newest_run(tracking: Any) -> Any:
    experiment = tracking.get_experiment_by_name("training").experiment_id
    return tracking.search_runs([experiment], order_by=["attributes.start_time DESC"], max_results=1)[0]


def test_a_version_names_all_that_made_it(site: Site, tracking: Any, first: str) -> None:
    version = tracking.get_model_version(NAME, first)
    run = tracking.get_run(version.run_id)
    table = (site.stage / "runs" / version.run_id / "table.parquet").read_bytes()
    head = subprocess.run(["git", "-C", str(site.root), "rev-parse", "HEAD"], capture_output=True, check=True)
    commit = head.stdout.decode()[:12]
    snapshot = hashlib.md5(table, usedforsecurity=False).hexdigest()
    assert version.tags == {"snapshot": snapshot, "commit": commit}
    assert run.data.tags["snapshot"] == snapshot
    assert run.data.tags["commit"] == commit
    assert run.data.tags["trigger"] == "schedule"
    assert run.data.tags["lock"] == hashlib.sha256((site.root / "requirements.lock").read_bytes()).hexdigest()
    assert "previous_model" not in run.data.tags
    assert run.info.status == "FINISHED"


def test_a_version_names_its_parameters_figures_and_durations(tracking: Any, first: str) -> None:
    run = tracking.get_run(tracking.get_model_version(NAME, first).run_id).data
    params = yaml.safe_load((PACKAGE / "params.yaml").read_text())
    expected = params["model"] | {"holdout_days": params["holdout_days"]}
    assert run.params == {name: str(value) for name, value in expected.items()}
    assert {f"seconds_{step}" for step in STEPS} == {name for name in run.metrics if name.startswith("seconds_")}
    assert all(run.metrics[f"seconds_{step}"] > 0 for step in STEPS)
    assert run.metrics["train_log_loss"] < run.metrics["holdout_log_loss"] < 0.6
    assert run.metrics["holdout_auc"] > 0.75


def test_a_version_knows_its_columns_and_holds_no_pickle(tracking: Any, first: str) -> None:
    from mlflow.models import get_model_info

    version = tracking.get_model_version(NAME, first)
    assert set(get_model_info(version.source).signature.inputs.input_names()) == FEATURES
    files = [file.path for file in tracking.list_logged_model_artifacts(version.source.rpartition("/")[2])]
    assert any(Path(path).suffix == ".skops" for path in files)
    assert not any(Path(path).suffix in (".pkl", ".pickle", ".joblib") for path in files)
    pictures = {file.path for file in tracking.list_artifacts(version.run_id)}
    assert pictures >= {"report.json", "calibration.png", "slices.png"}


def test_every_flight_that_landed_is_in_the_snapshot(
    site: Site, tracking: Any, first: str, flights: pd.DataFrame
) -> None:
    run = tracking.get_model_version(NAME, first).run_id
    table = pd.read_parquet(site.stage / "runs" / run / "table.parquet")
    assert set(table[ID]) == set(flights.dropna(subset=OUTCOME)[ID])


def test_one_command_brings_a_snapshot_back(site: Site, tracking: Any, first: str, tmp_path: Path) -> None:
    version = tracking.get_model_version(NAME, first)
    done = site.call("restore", version.tags["snapshot"], str(tmp_path / "back.parquet"))
    assert done.returncode == 0, done.stderr
    table = site.stage / "runs" / version.run_id / "table.parquet"
    assert (tmp_path / "back.parquet").read_bytes() == table.read_bytes()


def test_training_again_from_a_snapshot_names_it_and_the_champion(tracking: Any, first: str, second: str) -> None:
    old, new = (tracking.get_model_version(NAME, version) for version in (first, second))
    assert old.run_id != new.run_id
    assert old.tags["snapshot"] == new.tags["snapshot"]
    tags = tracking.get_run(new.run_id).data.tags
    assert (tags["trigger"], tags["previous_model"]) == ("manual", first)
    assert tags["against_champion"] == "+0.0000 ± 0.0000"  # the same data give the same model


def test_any_version_can_be_released_and_the_same_snapshot_gives_the_same_answers(
    site: Site, tracking: Any, first: str, second: str, flights: pd.DataFrame
) -> None:
    given = [site.ask(flights)]
    for version in (second, first):
        site.release(version)
        assert str(tracking.get_model_version_by_alias(NAME, "champion").version) == version
        given.append(site.ask(flights))
    assert max(given[0]) - min(given[0]) > 0.5
    assert given[0] == pytest.approx(given[1], rel=0, abs=1e-12)
    assert given[0] == given[2]


def test_a_version_that_does_not_exist_is_refused_and_the_others_named(
    tracking: Any, first: str, second: str
) -> None:
    before = tracking.get_model_version_by_alias(NAME, "champion").version
    with pytest.raises(registry().NoVersionError, match=f"no version 99: .* holds {first}, {second}"):
        registry().release("99")
    assert tracking.get_model_version_by_alias(NAME, "champion").version == before


def test_the_versions_are_listed_beside_the_one_that_serves(tracking: Any, first: str, second: str) -> None:
    header, *lines = registry().describe().splitlines()
    assert header.split()[0] == "version"
    assert [line.split()[0] for line in lines] == [first, second]
    assert [line.endswith("<- champion") for line in lines].count(True) == 1
    assert ["±" in line for line in lines] == [False, True]  # there was no champion before the first


class Spy:
    """Says so in a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self.path, "this code ran")


def test_a_version_that_nobody_here_made_is_listed_and_never_opened(
    site: Site, tracking: Any, first: str, second: str, tmp_path: Path
) -> None:
    import mlflow

    before = tracking.get_model_version_by_alias(NAME, "champion").version
    with mlflow.start_run() as run:
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "model.pkl").write_bytes(pickle.dumps(Spy(tmp_path / "spied")))
        flavors = {"sklearn": {"pickled_model": "model.pkl", "serialization_format": "cloudpickle"}}
        (tmp_path / "model" / "MLmodel").write_text(json.dumps({"flavors": flavors}))
        mlflow.log_artifacts(str(tmp_path / "model"), "model")
    source = f"{run.info.artifact_uri}/model"
    foreign = tracking.create_model_version(NAME, source, run.info.run_id)
    try:
        assert f"{foreign.version:>7}  not from a training of this project" in registry().describe()
        with pytest.raises(registry().NotMadeHereError, match="not registered by a training"):
            registry().release(foreign.version)
        assert tracking.get_model_version_by_alias(NAME, "champion").version == before
        with pytest.raises(registry().NotMadeHereError, match=r"holds no model.skops"):
            registry().load(source)
        assert not (tmp_path / "spied").exists()
    finally:
        tracking.delete_model_version(NAME, foreign.version)


def test_invalid_data_stops_before_the_fit(
    site: Site, tracking: Any, second: str, flights: pd.DataFrame, tmp_path: Path
) -> None:
    """Only one of the days has a column of another name."""
    before, broken = versions(tracking), site.beside("invalid", flights)
    day = broken.stage / "drop" / ROWS / "2013-03-09.parquet"
    pd.read_parquet(day).rename(columns={NUMBER: "another"}).to_parquet(day, index=False)
    done = broken.call("train")
    assert done.returncode != 0
    assert f"{NUMBER}: is missing ({ROWS}/2013-03-09.parquet)" in done.stderr
    assert versions(tracking) == before
    run = newest_run(tracking)
    assert run.info.run_id not in before.values()
    assert run.info.status == "FAILED"
    assert "seconds_collect_files" in run.data.metrics
    assert not {"seconds_take_snapshot", "train_log_loss"} & set(run.data.metrics)
    report = Path(tracking.download_artifacts(run.info.run_id, "validation.json", str(tmp_path))).read_text()
    assert {problem["column"] for problem in yaml.safe_load(report)["problems"]} == {NUMBER, "another"}
    assert not (broken.stage / "runs" / "unfinished").exists()


def test_a_training_that_diverges_registers_nothing(
    site: Site, tracking: Any, second: str, run_day: Callable[[str], list[dict[str, Any]]]
) -> None:
    """With a learning rate of a million on the day of the next training."""
    before = versions(tracking)
    params = site.root / PACKAGE.name / "params.yaml"
    good = params.read_text()
    params.write_text(re.sub(r"learning_rate: [\d.]+", "learning_rate: 1.0e+6", good, count=1))
    try:
        _, refused = run_day("2013-05-06")
    finally:
        params.write_text(good)
    assert refused["kind"] == "refused"
    assert "lower the learning rate" in refused["text"]
    assert versions(tracking) == before
    run = newest_run(tracking)
    assert run.info.status == "FAILED"
    assert float(run.data.params["learning_rate"]) == 1e6
    assert "train_log_loss" not in run.data.metrics
    assert not (site.stage / "runs" / "unfinished").exists()


def kill_after(step: str, site: Site, tracking: Any) -> str:
    """Start or go on with a training, kill it as soon as a step is finished, and return its run."""
    training = site.start(sys.executable, "-m", PACKAGE.name, "train")
    unfinished = site.stage / "runs" / "unfinished"
    try:
        wait_for("a run", lambda: unfinished.exists() and unfinished.read_text())
        run = newest_run(tracking).info.run_id
        assert run in unfinished.read_text()
        wait_for(f"the end of {step}", lambda: f"seconds_{step}" in tracking.get_run(run).data.metrics)
        assert training.poll() is None, "the training was over before it could be killed"
    finally:
        os.killpg(training.pid, signal.SIGKILL)
        training.wait()
    return str(run)


def test_a_training_that_is_killed_goes_on_after_the_last_finished_step(
    site: Site, tracking: Any, second: str, flights: pd.DataFrame
) -> None:
    before, killed = versions(tracking), site.beside("killed", flights)
    run = kill_after("validate", killed, tracking)
    paths = [*killed.stage.glob("data/*/*.parquet"), killed.stage / "runs" / run / "table.parquet"]
    written = {path: path.stat().st_mtime_ns for path in paths}
    assert kill_after("fit", killed, tracking) == run
    assert versions(tracking) == before
    version = killed.train()
    assert versions(tracking) == before | {version: run}
    assert {path: path.stat().st_mtime_ns for path in paths} == written
    for step in STEPS:
        assert len(tracking.get_metric_history(run, f"seconds_{step}")) == 1, f"{step} was done again"
    assert tracking.get_run(run).info.status == "FINISHED"
    assert not (killed.stage / "runs" / "unfinished").exists()


def test_nothing_was_written_into_the_home_folder(site: Site, second: str) -> None:
    assert list(Path(site.environment["HOME"]).rglob("*")) == []
