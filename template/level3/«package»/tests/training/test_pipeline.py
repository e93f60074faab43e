"""Which training is gone on with, and that one follows the other; test_pipeline tries the steps themselves."""

import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ...config import paths
from ...config.problem import ROWS
from ...errors import RefusedError
from ...training import pipeline

closed: list[tuple[str, str]] = []  # runs, and how they ended, as the tracking server was told


@pytest.fixture(autouse=True)
def drop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return the drop of a stage whose tracking server numbers its runs."""
    numbers = iter(range(1, 100))

    def create_run(_: str, run_name: str) -> SimpleNamespace:
        return SimpleNamespace(info=SimpleNamespace(run_id=str(next(numbers)), run_name=run_name))

    runs = SimpleNamespace(create_run=create_run, set_terminated=lambda run, status: closed.append((run, status)))
    closed.clear()
    monkeypatch.setattr(pipeline, "MlflowClient", lambda: runs)
    monkeypatch.setattr("mlflow.set_experiment", lambda _: SimpleNamespace(experiment_id="1"))
    monkeypatch.setattr(pipeline, "wait_for_servers", lambda: None)
    monkeypatch.setattr(paths, "DROP", tmp_path / "drop")
    monkeypatch.setattr(paths, "RUNS", tmp_path)
    monkeypatch.setattr(pipeline, "UNFINISHED", tmp_path / "unfinished")
    drop = tmp_path / "drop" / ROWS
    drop.mkdir(parents=True)
    (drop / "2013-03-01.parquet").touch()
    return drop


def killed(*_: object) -> str:
    raise KeyboardInterrupt


def test_a_training_that_was_killed_is_gone_on_with_on_the_same_day_only(
    monkeypatch: pytest.MonkeyPatch, drop: Path
) -> None:
    monkeypatch.setattr(pipeline, "training", killed)
    with pytest.raises(KeyboardInterrupt):
        pipeline.start_training("manual")
    monkeypatch.setattr(pipeline, "training", lambda run, *_: run)
    assert pipeline.start_training("manual") == "1"
    monkeypatch.setattr(pipeline, "training", killed)
    with pytest.raises(KeyboardInterrupt):
        pipeline.start_training("manual")
    (drop / "2013-03-02.parquet").touch()
    monkeypatch.setattr(pipeline, "training", lambda run, *_: run)
    assert pipeline.start_training("schedule") == "3"  # run 2 has yesterday's data
    assert closed == [("2", "KILLED")]  # and does not look as if it ran for ever


def test_a_killed_training_is_gone_on_with_only_when_the_same_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    runs = []

    def training(run: str, *_: object) -> None:
        runs.append(run)
        raise KeyboardInterrupt

    monkeypatch.setattr(pipeline, "training", training)
    for snapshot in (None, None, "one", "one", "other", None):
        with pytest.raises(KeyboardInterrupt):
            pipeline.start_training("manual", snapshot)
    assert runs == ["1", "1", "2", "2", "3", "4"]


def test_in_another_environment_nothing_is_begun(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "packages" / "scikit_learn-0.0.1.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    with pytest.raises(RefusedError, match="scikit-learn"):
        pipeline.start_training("manual")
    assert not (tmp_path / "unfinished").exists()


def test_two_trainings_at_once_follow_each_other_in_runs_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    at_work: list[str] = []
    seen: list[tuple[str, int]] = []

    def training(run: str, *_: object) -> str:
        at_work.append(run)
        time.sleep(0.1)  # the other has time to get in its way
        seen.append((run, len(at_work)))
        at_work.remove(run)
        return run

    monkeypatch.setattr(pipeline, "training", training)
    threads = [threading.Thread(target=pipeline.start_training, args=["manual"]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [("1", 1), ("2", 1)]
