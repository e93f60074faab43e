"""Collecting what the upstream dropped."""

import os
import resource
from pathlib import Path

import pandas as pd
import pytest

from ...config.problem import ID, OUTCOME
from ...data.collect import collect, gone
from ...data.published import MAX_ROWS, BadFileError

DAYS = ["2013-03-01", "2013-03-02", "2013-03-03"]


def publish(drop: Path, day: str, instances: int = 3) -> Path:
    path = drop / "instances" / f"{day}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame({ID: [f"{day}-{n}" for n in range(instances)]}).to_parquet(path)
    return path


def publish_outcomes(drop: Path, columns: dict[str, object]) -> None:
    path = drop / "outcomes" / f"{DAYS[0]}.parquet"
    path.parent.mkdir(exist_ok=True)
    pd.DataFrame(columns).to_parquet(path)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    """Publish three days of instances, and how those of the first day ended."""
    for day in DAYS:
        publish(tmp_path / "drop", day)
    publish_outcomes(tmp_path / "drop", {ID: ["a", "b"], OUTCOME: [1.0, None]})
    return tmp_path / "drop"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_every_dropped_file_is_copied_to_the_same_place(drop: Path, data: Path) -> None:
    copies = collect(drop, data)
    assert len(copies) == 4
    assert files(data) == files(drop)


def test_collecting_again_changes_nothing(drop: Path, data: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in collect(drop, data)}
    assert collect(drop, data) == []
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_full_disk_is_no_fault_of_the_upstream(drop: Path, data: Path) -> None:
    _, largest = before = resource.getrlimit(resource.RLIMIT_FSIZE)
    data.mkdir()
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, largest))
    try:
        with pytest.raises(BadFileError, match=r"cannot be copied to .*mend it here") as refused:
            collect(drop, data)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "upstream" not in str(refused.value)
    assert files(data) == {}
    assert len(collect(drop, data)) == 4


def test_half_a_file_is_a_fault_of_the_upstream(drop: Path, data: Path) -> None:
    damaged = drop / "instances" / f"{DAYS[0]}.parquet"
    whole = damaged.read_bytes()
    for size in (0, 10, 300):
        damaged.write_bytes(whole[:size])
        with pytest.raises(BadFileError, match=r"2013-03-01.parquet: .*ask the upstream to publish it again$"):
            collect(drop, data)


def test_only_what_is_new_is_collected(drop: Path, data: Path) -> None:
    collect(drop, data)
    publish(drop, "2013-03-04")
    assert collect(drop, data) == [data / "instances" / "2013-03-04.parquet"]


def test_a_file_published_again_with_other_content_is_collected_again(drop: Path, data: Path) -> None:
    collect(drop, data)
    publish(drop, DAYS[1], instances=4)
    assert collect(drop, data) == [data / "instances" / f"{DAYS[1]}.parquet"]
    assert files(data) == files(drop)


def test_the_same_length_is_not_the_same_content(drop: Path, data: Path) -> None:
    source = drop / "instances" / f"{DAYS[0]}.parquet"
    pd.DataFrame({"number": [1400]}).to_parquet(source)
    collect(drop, data)
    before = source.stat()
    pd.DataFrame({"number": [1416]}).to_parquet(source)
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert source.stat().st_size == before.st_size
    assert len(collect(drop, data)) == 1
    assert files(data) == files(drop)


def test_a_bad_file_is_named_and_the_others_are_collected(drop: Path, data: Path) -> None:
    bad = drop / "instances" / f"{DAYS[1]}.parquet"
    bad.write_bytes(bad.read_bytes()[:-20])
    with pytest.raises(BadFileError, match=rf"(?s)collected 3 files.*{bad}"):
        collect(drop, data)
    assert set(files(drop)) - set(files(data)) == {f"instances/{DAYS[1]}.parquet"}


def test_every_bad_file_is_named(drop: Path, data: Path) -> None:
    for day in DAYS[:2]:
        (drop / "instances" / f"{day}.parquet").write_bytes(b"")
    with pytest.raises(BadFileError) as error:
        collect(drop, data)
    assert [day in str(error.value) for day in DAYS] == [True, True, False]


def test_something_that_cannot_even_be_opened_does_not_stop_the_others(drop: Path, data: Path) -> None:
    (drop / "instances" / "2013-02-28.parquet").symlink_to(drop / "nowhere")
    with pytest.raises(BadFileError, match="2013-02-28"):
        collect(drop, data)
    assert len(files(data)) == 4


def test_a_bad_file_is_collected_once_it_has_been_published_again(drop: Path, data: Path) -> None:
    (drop / "instances" / f"{DAYS[0]}.parquet").write_bytes(b"PAR1 but no more")
    with pytest.raises(BadFileError):
        collect(drop, data)
    publish(drop, DAYS[0])
    assert collect(drop, data) == [data / "instances" / f"{DAYS[0]}.parquet"]


def test_a_bad_replacement_does_not_cost_the_good_copy(drop: Path, data: Path) -> None:
    collect(drop, data)
    good = files(data)
    (drop / "instances" / f"{DAYS[0]}.parquet").write_bytes(b"half a f")
    with pytest.raises(BadFileError):
        collect(drop, data)
    assert files(data) == good


def test_a_copy_is_complete_before_it_has_its_name(
    drop: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(part: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        collect(drop, data)
    assert list(data.rglob("*.parquet")) == []
    monkeypatch.undo()
    assert len(collect(drop, data)) == 4


def test_an_empty_drop_folder_is_no_error(tmp_path: Path, data: Path) -> None:
    assert collect(tmp_path / "drop", data) == []


@pytest.mark.parametrize("name", ["notes final(1)", "2013-02-30", "20130301", "2013-03-01 (1)"])
def test_a_file_whose_name_is_no_day_is_refused(drop: Path, data: Path, name: str) -> None:
    publish(drop, name)
    with pytest.raises(BadFileError, match="is not named after a day"):
        collect(drop, data)
    assert len(files(data)) == 4


def test_nobody_waits_for_a_pipe(drop: Path, data: Path) -> None:
    os.mkfifo(drop / "instances" / "2013-03-04.parquet")
    with pytest.raises(BadFileError, match=r"2013-03-04.parquet: is no file"):
        collect(drop, data)
    assert len(files(data)) == 4


def test_a_file_with_more_rows_than_any_day_is_refused(drop: Path, data: Path) -> None:
    publish(drop, "2013-03-04", instances=MAX_ROWS + 1)
    with pytest.raises(BadFileError, match="has 100,001 rows"):
        collect(drop, data)


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({ID: ["a"], "another": [1.0]}, f"needs the columns {ID} and {OUTCOME}"),
        ({ID: ["a"], OUTCOME: ["label"]}, f"{OUTCOME} cannot be of the type"),
        ({ID: [7], OUTCOME: [1.0]}, f"{ID} cannot be of the type"),
        (
            {ID: ["a", "b", "a"], OUTCOME: [1.0, 1.0, 60.0]},
            "two things about 1 instances, one is a",
        ),
    ],
)
def test_outcomes_that_cannot_be_believed_are_refused(
    drop: Path, data: Path, columns: dict[str, object], problem: str
) -> None:
    publish_outcomes(drop, columns)
    with pytest.raises(BadFileError, match=problem):
        collect(drop, data)
    assert len(files(data)) == 3


@pytest.mark.parametrize(
    "columns",
    [
        {ID: ["a", "a"], OUTCOME: [1.0, 1.0]},  # only said twice
        {ID: ["a"], OUTCOME: [None]},  # nobody arrived
        {ID: ["a"], OUTCOME: [3]},
        {ID: [], OUTCOME: []},
    ],
)
def test_outcomes_that_are_merely_unusual_are_collected(
    drop: Path, data: Path, columns: dict[str, object]
) -> None:
    publish_outcomes(drop, columns)
    assert len(collect(drop, data)) == 4


def test_what_is_no_longer_published_is_named_and_kept(drop: Path, data: Path) -> None:
    collect(drop, data)
    (drop / "instances" / f"{DAYS[1]}.parquet").unlink()
    assert gone(drop, data) == [f"instances/{DAYS[1]}.parquet"]
    assert collect(drop, data) == []
    assert len(files(data)) == 4


def test_a_file_of_a_day_far_ahead_is_refused(drop: Path, data: Path) -> None:
    publish(drop, "2014-03-01")
    with pytest.raises(BadFileError, match=r"2014-03-01.parquet: is dated 363 days after the newest before it"):
        collect(drop, data)
    assert len(files(data)) == 4
    publish(drop, "2013-04-02")  # a month without any is possible
    with pytest.raises(BadFileError, match=r"(?s)collected 1 files, .*2014-03-01"):
        collect(drop, data)
