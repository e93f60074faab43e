"""The way back from a damaged prediction log."""

import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from ...config.problem import ID
from ...data.schema import Instance
from ...serving.prediction_log import Logged, LogWriter, last_prediction
from ...serving.salvage import BeyondSalvageError, salvage
from ..example import EXAMPLE

PREDICTIONS = 3000
NOISE = b"\xff\x13" * 2048


def logged(number: int) -> Logged:
    return Logged(Instance.model_validate(EXAMPLE | {ID: f"instance {number}"}), "champion", "m", 0.25)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Write a log, and let its writer end, so that all is in the file."""
    path = tmp_path / "predictions.db"
    LogWriter(path).append([logged(number) for number in range(PREDICTIONS)])
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


def damage(path: Path, place: float) -> None:
    """Write noise over a page of the file."""
    with path.open("r+b") as file:
        file.seek(int(place * path.stat().st_size) // 4096 * 4096)
        file.write(NOISE)


def instances_in(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        connection.row_factory = sqlite3.Row
        return [row[ID] for row in connection.execute("SELECT * FROM predictions ORDER BY id")]


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9, 0.99])
def test_what_can_be_read_is_kept_in_its_order(log: Path, place: float) -> None:
    damage(log, place)
    assert salvage(log).startswith("kept ")
    kept = instances_in(log)
    assert PREDICTIONS - 40 <= len(kept) <= PREDICTIONS  # a page has no more of the smallest
    assert kept == sorted(kept, key=lambda instance: int(instance.split()[1]))
    (copy,) = log.parent.glob(f"{log.name}.damaged-*")
    assert NOISE in copy.read_bytes()


def test_a_whole_log_is_left_alone(log: Path) -> None:
    before = log.read_bytes()
    assert salvage(log) == "the prediction log is not damaged"
    assert log.read_bytes() == before


def test_nothing_that_is_written_meanwhile_is_lost(log: Path) -> None:
    writer, written = LogWriter(log), list[str]()
    writer.append([logged(PREDICTIONS)])
    damage(log, 0.5)
    stopped = threading.Event()

    def write() -> None:
        while not stopped.is_set():
            number = PREDICTIONS + 1 + len(written)
            writer.append([logged(number)])
            written.append(f"instance {number}")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        salvage(log)
    finally:
        stopped.set()
        thread.join()
    assert written
    assert set(written) <= set(instances_in(log))
    assert last_prediction(log, written[-1])


def test_a_file_without_a_readable_beginning_is_left_as_it_is(log: Path) -> None:
    damage(log, 0)
    before = log.read_bytes()
    with pytest.raises(BeyondSalvageError):
        salvage(log)
    assert log.read_bytes() == before


def test_one_bad_number_in_a_page_costs_no_more_than_the_page(log: Path) -> None:
    """The id of a row far too high: a scan in the order of ids ends there, and says nothing."""
    number = 1501  # of instance 1500; in the file two groups of seven bits, before the row that begins with the year
    written = re.escape(bytes([0x80 | number >> 7, number & 0x7F]))
    content, found = re.subn(written + rb"(?=.{5,25}20\d\d-)", b"\xff\x7f", log.read_bytes(), flags=re.DOTALL)
    assert found == 1
    log.write_bytes(content)
    salvage(log)
    kept = instances_in(log)
    assert "instance 1500" not in kept
    assert len(kept) > PREDICTIONS - 10


def test_text_that_is_none_counts_as_damage(log: Path) -> None:
    content = log.read_bytes()
    place = content.index(f'"{ID}":"instance 7"'.encode())
    log.write_bytes(content[:place] + b"\xff" * 8 + content[place + 8 :])
    assert salvage(log).startswith("kept 2,999 of 3,000 ")


def test_where_the_tables_are_described_nothing_is_thrown_away(log: Path) -> None:
    log.write_bytes(log.read_bytes().replace(b"CREATE TABLE predictions", b"CREATE TABLE prXdictions", 1))
    before = log.read_bytes()
    with pytest.raises(BeyondSalvageError):
        salvage(log)
    assert log.read_bytes() == before


def test_a_second_salvage_leaves_the_copy_of_the_first(log: Path) -> None:
    damage(log, 0.5)
    salvage(log)
    assert salvage(log) == "the prediction log is not damaged"
    (copy,) = log.parent.glob(f"{log.name}.damaged-*")
    assert NOISE in copy.read_bytes()
