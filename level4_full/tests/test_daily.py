"""What happens by itself in a day: one refusal does not keep the rest from happening, a failure is not hidden."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from .. import daily
from ..config import paths
from ..errors import RefusedError

JOBS = ["review_experiment", "finish_delivery", "watch_production"]


def says(what: str) -> Callable[[date], str]:
    return lambda _: what


def refuses(_: date) -> str:
    raise RefusedError("refused by a gate")


def breaks(_: date) -> str:
    raise OSError("no disk")


@pytest.fixture(autouse=True)
def _jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "DROP", tmp_path / "drop")
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    monkeypatch.setattr(daily, "wait_for_servers", lambda: None)
    for job in JOBS:
        monkeypatch.setattr(daily, job, says(f"{job} done"))


def test_a_day_is_told_in_one_line_and_quiet_jobs_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "finish_delivery", says(""))
    said = daily.tick("2013-03-01")
    assert said == "2013-03-01: collected 0 files; review_experiment done; watch_production done"


@pytest.mark.parametrize("job", JOBS)
def test_a_refusal_is_told_and_the_rest_still_happens(monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    monkeypatch.setattr(daily, job, refuses)
    said = daily.tick("2013-03-01")
    assert "refused by a gate" in said
    for other in set(JOBS) - {job}:
        assert f"{other} done" in said


def test_a_file_that_cannot_be_read_is_told_and_the_rest_still_happens(tmp_path: Path) -> None:
    (tmp_path / "drop" / "flights").mkdir(parents=True)
    (tmp_path / "drop" / "flights" / "2013-03-01.parquet").write_bytes(b"half a file")
    said = daily.tick("2013-03-01")
    assert "failed in part" in said
    assert "2013-03-01.parquet" in said
    for job in JOBS:
        assert f"{job} done" in said


@pytest.mark.parametrize("job", JOBS)
def test_what_fails_is_not_taken_for_done_and_the_rest_still_happens(
    monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    monkeypatch.setattr(daily, job, breaks)
    said = daily.tick("2013-03-01")
    assert "breaks failed, OSError: no disk" in said
    for other in set(JOBS) - {job}:
        assert f"{other} done" in said


def test_the_schedule_is_the_first_monday_of_a_month() -> None:
    days = [date(2013, 7, day) for day in range(1, 32)]
    assert [day.day for day in days if daily.is_training_day(day)] == [1]
    assert daily.is_training_day(date(2013, 8, 5))
