"""The daily run: a refusal keeps nothing else from happening, and a failure is not hidden."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from .. import daily
from ..config import paths
from ..errors import RefusedError
from ..events import Event, Kind

JOBS = ["review", "finish_delivery", "train_by_schedule"]


def reports(text: str) -> Callable[[date], list[Event]]:
    return lambda _: [Event(Kind.DELIVERED, text)]


def refuses(_: date) -> list[Event]:
    raise RefusedError("refused by a gate")


def breaks(_: date) -> list[Event]:
    raise OSError("no disk")


@pytest.fixture(autouse=True)
def _jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "DROP", tmp_path / "drop")
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    monkeypatch.setattr(daily, "wait_for_servers", lambda: None)
    for job in JOBS:
        monkeypatch.setattr(daily, job, reports(f"{job} done"))


def texts() -> list[str]:
    return [event.text for event in daily.run_day("2013-03-01")]


def test_a_day_reports_each_of_its_jobs() -> None:
    assert texts() == ["collected 0 files", *(f"{job} done" for job in JOBS)]


def test_every_day_is_one_line_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    daily.run_days(["2013-03-01\n", "2013-03-02\n"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["day"] for line in lines] == ["2013-03-01", "2013-03-02"]
    assert lines[0]["events"][0] == {"kind": "collected", "text": "collected 0 files", "facts": {"files": 0}}


def test_what_libraries_print_is_not_taken_for_events(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def prints(_: date) -> list[Event]:
        print("a library prints something")
        return []

    monkeypatch.setattr(daily, JOBS[0], prints)
    daily.run_days(["2013-03-01"])
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 1
    assert "a library prints something" in captured.err


@pytest.mark.parametrize("job", JOBS)
def test_a_refusal_is_reported_and_the_rest_still_happens(monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    monkeypatch.setattr(daily, job, refuses)
    events = daily.run_day("2013-03-01")
    assert [event.text for event in events if event.kind is Kind.REFUSED] == ["refused by a gate"]
    assert {f"{other} done" for other in set(JOBS) - {job}} <= {event.text for event in events}


@pytest.mark.parametrize("job", JOBS)
def test_a_failure_is_reported_and_the_rest_still_happens(monkeypatch: pytest.MonkeyPatch, job: str) -> None:
    monkeypatch.setattr(daily, job, breaks)
    events = daily.run_day("2013-03-01")
    assert [event.text for event in events if event.kind is Kind.FAILED] == ["breaks failed, OSError: no disk"]
    assert {f"{other} done" for other in set(JOBS) - {job}} <= {event.text for event in events}


def test_a_file_that_cannot_be_read_is_reported_and_the_rest_still_happens(tmp_path: Path) -> None:
    (tmp_path / "drop" / "instances").mkdir(parents=True)
    (tmp_path / "drop" / "instances" / "2013-03-01.parquet").write_bytes(b"half a file")
    first, *others = daily.run_day("2013-03-01")
    assert first.kind is Kind.FAILED
    assert "2013-03-01.parquet" in first.text
    assert [event.text for event in others] == [f"{job} done" for job in JOBS]


def test_the_schedule_is_the_first_monday_of_a_month() -> None:
    days = [date(2013, 7, day) for day in range(1, 32)]
    assert [day.day for day in days if daily.is_training_day(day)] == [1]
    assert daily.is_training_day(date(2013, 8, 5))
