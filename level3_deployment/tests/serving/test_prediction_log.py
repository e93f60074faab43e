"""The prediction log, in a file and on a server: it loses nothing it acknowledged, and forgets whom it must."""

import json
import math
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from ...config import problem
from ...config.database import Address, DatabaseError
from ...config.problem import ID, TIME, WHO
from ...data.schema import Flight
from ...serving import prediction_log
from ...serving.prediction_log import (
    CONNECTIONS,
    SECONDS_LOST,
    SECONDS_TO_WRITE,
    Logged,
    LogWriter,
    append,
    experiment_predictions,
    forget,
    last_prediction,
    open_log,
    predictions_since,
)
from ..databases import Server
from ..example import EXAMPLE, numbered

DAY = EXAMPLE[TIME][:10]


def name(number: int) -> str:
    return str(numbered(number)[ID])


def logged(number: int, probability: float = 0.25, model: str = "m", experiment: str | None = None) -> Logged:
    flight = Flight.model_validate(numbered(number))
    return Logged(flight, "champion", model, probability, experiment, {"another": 0.5})


def test_of_each_flight_the_last_prediction_counts(address: Address) -> None:
    with open_log(address) as log:
        append(log, [logged(1, 0.1, experiment="trial"), logged(2, 0.2, experiment="trial"), logged(3, 0.3)])
        append(log, [logged(1, 0.1 + 0.2, experiment="trial")])
    expected = {name(1): 0.1 + 0.2, name(2): 0.2}  # to the last bit
    assert {row[ID]: row["late_probability"] for row in experiment_predictions(address, "trial")} == expected
    assert len(predictions_since(address, DAY)) == 3
    assert predictions_since(address, f"{DAY}T99") == []
    newest = last_prediction(address, name(1))
    assert newest is not None
    assert json.loads(newest["inputs"])[ID] == name(1)
    assert json.loads(newest["others"]) == {"another": 0.5}
    assert last_prediction(address, name(4)) is None


@pytest.mark.filterwarnings("ignore:.*found in sys.modules")
@pytest.mark.parametrize(("its_id", "its_time"), [("CustomerID", "SignedUp"), ("order", "when")])
def test_the_columns_of_a_problem_may_be_called_anything(
    address: Address, monkeypatch: pytest.MonkeyPatch, its_id: str, its_time: str
) -> None:
    monkeypatch.setattr(problem, "ID", its_id)
    monkeypatch.setattr(problem, "TIME", its_time)
    other = runpy.run_module(prediction_log.__name__)
    row = SimpleNamespace(**{its_id: "a", its_time: datetime(2013, 3, 1, tzinfo=UTC)}, model_dump_json=str)
    with other["open_log"](address) as log:
        for probability in (0.1, 0.2):
            other["append"](log, [other["Logged"](row, "champion", "m", probability, "trial")])
    (found,) = other["experiment_predictions"](address, "trial")
    assert (found[its_id], found["late_probability"]) == ("a", 0.2)
    assert other["predictions_since"](address, DAY[:4]) == [found]
    assert other["last_prediction"](address, "a")[its_time].startswith("2013-03-01")


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_the_predictions_of_a_request_are_logged_all_or_none(address: Address, broken: float) -> None:
    with open_log(address) as log:
        append(log, [logged(1)])
        with pytest.raises(DatabaseError):
            append(log, [*map(logged, range(2, 400)), logged(400, broken)])
        append(log, [logged(3)])
        rows = log.rows("SELECT * FROM predictions ORDER BY id")
    assert [row[ID] for row in rows] == [name(1), name(3)]


def test_many_that_come_first_at_the_same_moment_make_one_log(address: Address) -> None:
    def write(number: int) -> None:
        with open_log(address) as log:
            append(log, [logged(number)])

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(1, 25)))
    assert len(predictions_since(address, DAY)) == 24


def test_requests_of_several_threads_are_all_logged(address: Address) -> None:
    writer = LogWriter(address)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: writer.append([logged(n)]), range(1, 201)))
    assert len(predictions_since(address, DAY)) == 200


def test_who_is_forgotten_is_forgotten_and_nobody_else(address: Address) -> None:
    flights = [numbered(number) for number in range(100, 400)]
    with open_log(address) as log:  # and keep it open, as the service does
        append(log, [Logged(Flight.model_validate(flight), "champion", "m", 0.25) for flight in flights])
        gone = flights[7]
        assert forget(address, " ".join(str(gone[name]) for name in WHO)) == 1
        assert last_prediction(address, gone[ID]) is None
        assert last_prediction(address, flights[8][ID]) is not None
        append(log, [logged(1)])


def test_who_is_forgotten_is_in_no_page_of_the_file(tmp_path: Path) -> None:
    path, flights = tmp_path / "predictions.db", [numbered(number) for number in range(100, 400)]
    with open_log(path) as log:
        append(log, [Logged(Flight.model_validate(flight), "champion", "m", 0.25) for flight in flights])
        forget(path, " ".join(str(flights[7][name]) for name in WHO))
        assert is_in(f'"{flights[8][ID]}"', tmp_path)
        assert not is_in(f'"{flights[7][ID]}"', tmp_path)


@pytest.mark.slow
def test_who_is_forgotten_is_in_no_page_of_the_server(postgresql: Server) -> None:
    address, flights = postgresql.make(), [numbered(number) for number in range(100, 400)]
    with open_log(address) as log:
        append(log, [Logged(Flight.model_validate(flight), "champion", "m", 0.25) for flight in flights])
        forget(address, " ".join(str(flights[7][name]) for name in WHO))
        log.execute("CHECKPOINT")
        (made,) = log.rows("SELECT oid FROM pg_database WHERE datname = current_database()")
    pages = postgresql.folder / "data" / "base" / str(made["oid"])
    assert is_in(f'"{flights[8][ID]}"', pages)
    assert not is_in(f'"{flights[7][ID]}"', pages)


def is_in(text: str, folder: Path) -> bool:
    return any(text.encode() in file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_a_log_without_a_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(DatabaseError, match="install the group `scale`"):
        LogWriter("postgresql://127.0.0.1:1/predictions").append([logged(1)])


@pytest.mark.slow
def test_while_the_server_is_away_writing_fails_at_once_and_nothing_acknowledged_is_lost(
    postgresql: Server,
) -> None:
    writer, numbers, acknowledged, end = LogWriter(postgresql.make()), count(1), [], Event()
    slowest, failed = [0.0], [0]

    def write() -> None:
        while not end.is_set():
            number, began = next(numbers), time.monotonic()
            try:
                writer.append([logged(number)])
                acknowledged.append(name(number))
            except DatabaseError:
                failed[0] += 1
                time.sleep(0.01)  # a client that tries again
            slowest[0] = max(slowest[0], time.monotonic() - began)

    with ThreadPoolExecutor(8) as threads:
        for _ in range(8):
            threads.submit(write)
        wait_for(lambda: len(acknowledged) > 50)
        postgresql.stop()
        before, failed[0] = len(acknowledged), 0
        wait_for(lambda: failed[0] > 50)
        assert len(acknowledged) <= before + 8  # what was on its way
        assert writer.failed_lately()
        postgresql.start()
        wait_for(lambda: len(acknowledged) > before + 50)
        end.set()
    assert slowest[0] < SECONDS_TO_WRITE + SECONDS_LOST
    found = {row[ID] for row in predictions_since(writer.address, DAY)}
    assert set(acknowledged) <= found
    assert len(found) <= len(acknowledged) + 8  # written, and nobody was told


@pytest.mark.slow
def test_a_server_that_came_back_between_two_requests_is_written_to(postgresql: Server) -> None:
    writer = LogWriter(postgresql.make())
    for number in range(1, 9):
        writer.append([logged(number)])
    postgresql.stop()
    postgresql.start()
    for number in range(9, 17):
        writer.append([logged(number)])
    assert len(predictions_since(writer.address, DAY)) == 16


@pytest.mark.slow
def test_a_server_that_hangs_is_not_waited_for(postgresql: Server) -> None:
    writer = LogWriter(postgresql.make())
    for _ in range(CONNECTIONS):  # or it is the connecting that is given up
        writer.append([logged(1)])
    pid = int((postgresql.folder / "data" / "postmaster.pid").read_text().split()[0])
    family = [pid, *map(int, subprocess.check_output(["pgrep", "-P", str(pid)], text=True).split())]
    began = time.monotonic()
    try:
        for process in family:
            os.kill(process, signal.SIGSTOP)
        with ThreadPoolExecutor(8) as threads:
            errors = [threads.submit(writer.append, [logged(2)]) for _ in range(16)]
        assert all(isinstance(error.exception(), DatabaseError) for error in errors)
        assert time.monotonic() - began < SECONDS_TO_WRITE + SECONDS_LOST  # who came later did not wait in turn
    finally:
        for process in family:
            os.kill(process, signal.SIGCONT)
    wait_for(lambda: is_written(writer))
    found = {row[ID] for row in predictions_since(writer.address, DAY)}
    assert {name(1), name(4)} <= found


@pytest.mark.slow
def test_a_server_that_cannot_be_reached_is_not_waited_for() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:  # takes a connection, and says nothing
        writer = LogWriter(f"postgresql://tests@127.0.0.1:{silent.getsockname()[1]}/predictions")
        began = time.monotonic()
        with ThreadPoolExecutor(8) as threads:
            errors = [threads.submit(writer.append, [logged(1)]) for _ in range(16)]
        assert all(isinstance(error.exception(), DatabaseError) for error in errors)
        assert time.monotonic() - began < SECONDS_TO_WRITE + SECONDS_LOST


def is_written(writer: LogWriter) -> bool:
    try:
        writer.append([logged(4)])
    except DatabaseError:
        return False
    return True


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
