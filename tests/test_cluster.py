"""Work that is spread over a cluster gives what it gives here, also when a worker is killed in the middle."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

os.environ.setdefault("STAGE", "/dev/null")  # modules of the levels ask for it

from benchmarks.replica import ahead, gates, nulls, triggers
from benchmarks.replica.year import Change, Model, Recipe, Year
from shared import cluster
from shared.base import StageError
from shared.simulation.elsewhere import THREADS, simulate_elsewhere
from shared.simulation.run import simulate
from shared.simulation.scenario import NOBODY, USUAL, Scenario, is_finished
from shared.world.incidents import INCIDENTS
from shared.world.period import FIRST_DAY, LAST_DAY, Period

from .conftest import ROOT, commands_in, elsewhere, free_port, wait_for

PERIOD = Period(date(2013, 3, 18), date(2013, 3, 20))
SCENARIOS = [Scenario(1, PERIOD, (INCIDENTS["schema"],), USUAL), Scenario(1, PERIOD, (), NOBODY)]
FEBRUARY = date(2013, 2, 1)  # early models train fast
RECIPES = [Recipe(FEBRUARY, seed=seed) for seed in range(3)]


def test_without_a_cluster_the_pieces_are_done_here_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLUSTER", raising=False)
    done = list(cluster.spread(lambda item: (item, os.getpid()), ["b", "a"]))
    assert done == [("b", ("b", os.getpid())), ("a", ("a", os.getpid()))]


@pytest.fixture(scope="module")
def made_up() -> Year:
    """Make a year of a few flights a day, late at random."""
    days = pd.date_range(FIRST_DAY, LAST_DAY).repeat(8)
    late = np.random.default_rng(0).random(len(days)) < 0.3
    flights = {
        "scheduled_departure": days,
        "arrival_delay": late * 60.0,
        "carrier": "UA",
        "flight": range(len(days)),
    }
    return Year(pd.DataFrame(flights), Path("/nowhere"))


def test_gates_nulls_and_triggers_ask_for_what_was_trained_ahead(
    made_up: Year, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, answers = set[Recipe](), np.random.default_rng(1).random(len(made_up.table))

    def model(_: Year, before: date, change: Change | None = None, seed: int = 0) -> Model:
        asked.add(Recipe(before, change, seed))
        return Model("", answers)

    monkeypatch.setattr(Year, "model", model)
    monkeypatch.setattr(gates, "refused_by", lambda *_: [])
    monkeypatch.setattr(nulls, "SAMPLES", 1)
    monkeypatch.setattr(triggers, "YEARS", 1)
    for part in (gates, nulls, triggers):
        part.measure(made_up)
    assert asked <= set(ahead.recipes(made_up))
    assert len(asked) > 100


def test_a_worker_with_other_code_is_told_apart(made_up: Year) -> None:
    recipe = RECIPES[0]
    with pytest.raises(
        StageError, match=f"this worker has the code of {recipe.name}, and not of 2013-02-01-older"
    ):
        made_up.answers_of(("2013-02-01-older", recipe))


@pytest.mark.slow
def test_a_cluster_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTER", f"tcp://127.0.0.1:{free_port()}")
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(StageError, match=r"no Dask scheduler answers at CLUSTER=tcp://127.0.0.1"):
        list(cluster.spread(str, [1]))


@pytest.fixture
def workers(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Run the commands of docs/fanout.md in another checkout: a scheduler and two workers for who spreads work.

    Yield the process groups of the workers.
    """
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    page = commands_in((ROOT / "docs" / "fanout.md").read_text())
    scheduler, worker = (command.replace("tcp://host:8786", address) for command in page)
    started = [
        subprocess.Popen(
            ["sh", "-c", command],
            cwd=checkout,
            stderr=(checkout / f"{n}.log").open("w"),
            start_new_session=True,
        )
        for n, command in enumerate((scheduler, worker, worker))
    ]
    monkeypatch.setenv("CLUSTER", address)
    wait_for("the scheduler", lambda: listens(port))
    yield [process.pid for process in started[1:]]
    for process in started:
        vanish(process.pid)
        process.wait()


def vanish(group: int) -> None:
    """Kill a process with all that it has started, as when its machine loses its power."""
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


@pytest.mark.slow
def test_models_are_the_same_to_the_last_digit_also_when_a_worker_is_killed(
    workers: list[int], tmp_path: Path
) -> None:
    year = Year.read()
    here, there = (Year(year.table, tmp_path / name) for name in ("here", "there"))
    with ThreadPoolExecutor(1) as pool:
        training = pool.submit(there.train_ahead, RECIPES)
        vanish(wait_for("a training on each worker", lambda: busy(workers)))
        training.result()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CLUSTER")
        here.train_ahead(RECIPES)
    trained = [(year.cache / f"{recipe.name}.npy").read_bytes() for year in (here, there) for recipe in RECIPES]
    assert trained[: len(RECIPES)] == trained[len(RECIPES) :]


def listens(port: int) -> bool:
    """Tell whether something takes connections on a port."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def busy(workers: list[int]) -> int | None:
    """Return a worker that is in the middle of a training, once both are."""
    from distributed import Client

    with Client(os.environ["CLUSTER"]) as client:
        at_work = client.processing()
    if len(at_work) == len(workers) and all(at_work.values()):
        return workers[0]
    return None


@pytest.mark.slow
@pytest.mark.full
def test_a_year_that_a_worker_simulates_comes_out_as_here(
    ports: dict[str, str], workers: list[int], tmp_path_factory: pytest.TempPathFactory, checkout: Path
) -> None:
    """The workers are in another checkout, so that all that is here was brought here."""
    with elsewhere(tmp_path_factory.mktemp("there")):
        simulate_elsewhere(SCENARIOS)
        there = {scenario: contents(scenario) for scenario in SCENARIOS}
    assert not list((checkout / ".stage").glob("simulated*"))
    with elsewhere(tmp_path_factory.mktemp("here")) as patch:
        for name in THREADS:  # the tests of the levels have few
            patch.delenv(name, raising=False)
        for scenario in SCENARIOS:
            simulate(scenario)
            assert contents(scenario) == there[scenario]


def contents(scenario: Scenario) -> dict[str, bytes]:
    """Return what a simulation found out; not how long it took."""
    assert is_finished(scenario)
    files = [*scenario.folder().glob("answers/*"), scenario.folder() / "events.jsonl"]
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.slow
def test_a_simulation_by_other_code_is_not_taken(
    ports: dict[str, str], workers: list[int], tmp_path: Path, checkout: Path
) -> None:
    with (checkout / "requirements.lock").open("a") as lock:
        lock.write("# another one\n")
    with (
        elsewhere(tmp_path),
        pytest.raises(StageError, match="1 of 1 simulations failed, or their workers have other"),
    ):
        simulate_elsewhere(SCENARIOS[:1])
