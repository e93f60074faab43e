"""Snapshots: the table that a model was trained on can always be restored, byte for byte."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from dvc.repo import Repo
from dvc.scm import Git

from ...config.problem import ID, OUTCOME, OUTCOMES, TIME
from ...data.snapshot import SnapshotError, fingerprints, load_table, restore, save
from ..buckets import WHERE, serving_a_bucket
from ..conftest import make_flights, write_days


@pytest.fixture(autouse=True)
def _settings_of_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the library out of the home folder."""
    for name in ("DVC_GLOBAL_CONFIG_DIR", "DVC_SITE_CACHE_DIR", "DVC_SYSTEM_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path / "dvc"))


@pytest.fixture
def table(tmp_path: Path, flights: pd.DataFrame) -> Path:
    path = tmp_path / "run" / "table.parquet"
    path.parent.mkdir()
    flights.to_parquet(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "snapshots"


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return tmp_path / "remote"


def test_a_snapshot_comes_back_byte_for_byte(table: Path, folder: Path, remote: Path, tmp_path: Path) -> None:
    content = table.read_bytes()
    name = save(table, folder, remote)
    table.unlink()
    restore(name, folder, remote, tmp_path / "back.parquet")
    assert (tmp_path / "back.parquet").read_bytes() == content


def test_its_name_is_the_hash_of_its_bytes(table: Path, folder: Path, remote: Path) -> None:
    assert save(table, folder, remote) == hashlib.md5(table.read_bytes(), usedforsecurity=False).hexdigest()


def test_saving_leaves_the_table_where_it_is(table: Path, folder: Path, remote: Path) -> None:
    content = table.read_bytes()
    save(table, folder, remote)
    assert table.read_bytes() == content


def test_changed_data_has_another_name_and_the_old_is_still_to_be_had(
    table: Path, folder: Path, remote: Path, tmp_path: Path
) -> None:
    versions = {}
    for days in (1, 2, 3):
        make_flights(days, per_day=20).to_parquet(table)
        versions[save(table, folder, remote)] = table.read_bytes()
    assert len(versions) == 3
    for name, content in versions.items():
        restore(name, folder, remote, tmp_path / "back.parquet")
        assert (tmp_path / "back.parquet").read_bytes() == content


def test_the_same_data_has_the_same_name_and_is_kept_once(table: Path, folder: Path, remote: Path) -> None:
    name = save(table, folder, remote)
    kept = sorted(path for path in remote.rglob("*") if path.is_file())
    assert save(table, folder, remote) == name
    assert sorted(path for path in remote.rglob("*") if path.is_file()) == kept


def test_a_repository_whose_making_was_killed_is_made_again(
    table: Path, folder: Path, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = Repo.init

    def killed(*arguments: Any, **options: Any) -> None:
        make(*arguments, **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(Repo, "init", killed)
    with pytest.raises(KeyboardInterrupt):
        save(table, folder, remote)
    monkeypatch.setattr(Repo, "init", make)
    assert save(table, folder, remote)


def test_a_snapshot_whose_saving_was_killed_is_saved_again(
    table: Path, folder: Path, remote: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    tag = Git.tag
    monkeypatch.setattr(Git, "tag", killed)
    with pytest.raises(KeyboardInterrupt):
        save(table, folder, remote)
    monkeypatch.setattr(Git, "tag", tag)
    assert run("git", "-C", folder, "tag", "--points-at", "HEAD") == ""
    name = save(table, folder, remote)
    assert run("git", "-C", folder, "tag", "--points-at", "HEAD") == f"{name}\n"


def run(*command: str | Path) -> str:
    """Return what a command prints that a person types in the environment of these tests."""
    environment = os.environ | {"PATH": WHERE}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def two(table: Path, folder: Path, remote: Path) -> dict[str, bytes]:
    """Save two snapshots, and return the content of each by its name."""
    contents = {}
    for days in (1, 2):
        make_flights(days, per_day=20).to_parquet(table)
        contents[save(table, folder, remote)] = table.read_bytes()
    return contents


def test_git_lists_the_snapshots_newest_first(two: dict[str, bytes], folder: Path) -> None:
    lines = run("git", "-C", folder, "log", "--format=%D, %s").splitlines()
    for line, name, flights in zip(lines, reversed(two), (40, 20), strict=False):
        assert f"tag: {name}, {flights} flights" in line
    assert run("git", "-C", folder, "status", "--short") == ""


def test_dvc_names_what_differs_between_two_snapshots(two: dict[str, bytes], folder: Path) -> None:
    first, second = two
    changed = f"{first[:8]}..{second[:8]}  table.parquet"
    assert changed in run("dvc", "--cd", folder, "diff", "--show-hash", "HEAD~1")
    assert changed in run("dvc", "--cd", folder, "diff", "--show-hash", first, second)


def test_dvc_gets_each_snapshot_by_its_name(two: dict[str, bytes], folder: Path, tmp_path: Path) -> None:
    for name, content in two.items():
        run("dvc", "get", folder, "table.parquet", "--rev", name, "--out", tmp_path / name)
        assert (tmp_path / name).read_bytes() == content


def test_dvc_pulls_into_an_empty_clone_and_checks_an_earlier_snapshot_out(
    two: dict[str, bytes], folder: Path, tmp_path: Path
) -> None:
    first, second = two
    clone = tmp_path / "clone"
    run("git", "clone", "--quiet", folder, clone)
    assert not (clone / "table.parquet").exists()
    run("dvc", "--cd", clone, "pull", "--all-tags")
    assert (clone / "table.parquet").read_bytes() == two[second]
    run("git", "-C", clone, "checkout", "--quiet", first)
    run("dvc", "--cd", clone, "checkout")
    assert (clone / "table.parquet").read_bytes() == two[first]


def test_dvc_calls_nobody_where_snapshots_are_kept(
    two: dict[str, bytes], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DVC_NO_ANALYTICS")
    for name in ("analytics", "check_update"):
        assert run("dvc", "--cd", folder, "config", f"core.{name}") == "False\n"


def test_the_remote_alone_is_enough(table: Path, folder: Path, remote: Path, tmp_path: Path) -> None:
    name = save(table, folder, remote)
    shutil.rmtree(folder)
    restore(name, tmp_path / "colleague", remote, tmp_path / "back.parquet")
    assert (tmp_path / "back.parquet").read_bytes() == table.read_bytes()


def test_a_damaged_snapshot_is_not_taken_for_the_real_one(
    table: Path, folder: Path, remote: Path, tmp_path: Path
) -> None:
    name = save(table, folder, remote)
    shutil.rmtree(folder)
    (kept,) = (path for path in remote.rglob("*") if path.is_file())
    kept.chmod(0o644)
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(SnapshotError, match=f"{name} is damaged: put back .*{name[2:]}"):
        restore(name, folder, remote, tmp_path / "back.parquet")
    assert not (tmp_path / "back.parquet").exists()


@pytest.mark.parametrize("mode", [0o444, 0o644])
def test_a_damaged_cache_is_not_taken_for_the_snapshot(
    table: Path, folder: Path, remote: Path, tmp_path: Path, mode: int
) -> None:
    """DVC believes a file of its cache that nobody may write to."""
    content = table.read_bytes()
    md5 = save(table, folder, remote)
    (cached,) = (path for path in (folder / ".dvc" / "cache").rglob(md5[2:]) if path.is_file())
    cached.chmod(0o644)
    cached.write_bytes(content[:-1] + b"x")
    cached.chmod(mode)
    restore(md5, folder, remote, tmp_path / "restored")
    assert (tmp_path / "restored").read_bytes() == content


def test_a_remote_that_cannot_be_read_is_no_missing_snapshot(
    table: Path, folder: Path, remote: Path, tmp_path: Path
) -> None:
    name = save(table, folder, remote)
    shutil.rmtree(folder)
    (kept,) = (path for path in remote.rglob("*") if path.is_file())
    kept.unlink()
    kept.mkdir()
    with pytest.raises(SnapshotError, match=r"cannot be read: .*Is a directory"):
        restore(name, folder, remote, tmp_path / "back.parquet")


@pytest.mark.parametrize("name", ["0" * 32, "nonsense"])
def test_a_name_nobody_gave_is_refused(table: Path, folder: Path, remote: Path, tmp_path: Path, name: str) -> None:
    save(table, folder, remote)
    before = sorted(folder.iterdir())
    with pytest.raises(SnapshotError, match=f"no snapshot {name}.*training run"):
        restore(name, folder, remote, tmp_path / "back.parquet")
    assert not (tmp_path / "back.parquet").exists()
    assert sorted(folder.iterdir()) == before


def test_the_table_has_every_flight_that_landed_in_order_of_time(tmp_path: Path) -> None:
    flights = make_flights(days=3, per_day=30)
    write_days(flights, tmp_path)
    (tmp_path / OUTCOMES / "2013-03-03.parquet").unlink()  # how today's flights end is not known yet
    table = load_table(tmp_path)
    landed = flights[flights[OUTCOME].notna() & (flights[TIME] < "2013-03-03")]
    assert set(table[ID]) == set(landed[ID])
    assert table[TIME].is_monotonic_increasing
    delays = landed.set_index(ID)[OUTCOME]
    assert (table[OUTCOME] == table[ID].map(delays)).all()


def test_every_collected_file_has_its_fingerprint_and_a_changed_one_another(
    flights: pd.DataFrame, tmp_path: Path
) -> None:
    write_days(flights, tmp_path)
    before = fingerprints(tmp_path)
    assert len(before) == 2 * flights[TIME].dt.date.nunique()
    changed = tmp_path / OUTCOMES / "2013-03-02.parquet"
    changed.write_bytes(changed.read_bytes() + b"x")
    after = fingerprints(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {f"{OUTCOMES}/2013-03-02.parquet"}
    assert after[f"{OUTCOMES}/2013-03-02.parquet"] == hashlib.sha256(changed.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Serve a bucket; return the folder that has what is in it."""
    pytest.importorskip("dvc_s3", reason="there is no driver for S3: install the group `scale`")
    folder = tmp_path_factory.mktemp("store")
    with serving_a_bucket(folder) as names, pytest.MonkeyPatch.context() as patch:
        for name, value in names.items():
            patch.setenv(name, value)
        yield folder / "buckets" / "stage"


@pytest.mark.slow
def test_a_bucket_gives_a_snapshot_back_byte_for_byte(
    table: Path, folder: Path, store: Path, tmp_path: Path
) -> None:
    name = save(table, folder, "s3://stage/here")
    assert [path.name for path in store.rglob("*") if path.is_file()] == [name[2:]]
    shutil.rmtree(folder)
    restore(name, tmp_path / "colleague", "s3://stage/here", tmp_path / "back.parquet")
    assert (tmp_path / "back.parquet").read_bytes() == table.read_bytes()


@pytest.mark.slow
def test_a_bucket_says_what_is_wrong_with_a_snapshot_as_a_folder_does(
    table: Path, folder: Path, store: Path, tmp_path: Path
) -> None:
    name = save(table, folder, "s3://stage/there")
    with pytest.raises(SnapshotError, match=r"no snapshot 0{32} in s3://stage/there: take the name"):
        restore("0" * 32, folder, "s3://stage/there", tmp_path / "back.parquet")
    (kept,) = (path for path in (store / "there").rglob("*") if path.is_file())
    kept.write_bytes(kept.read_bytes()[:-1])
    with pytest.raises(SnapshotError, match=f"{name} is damaged: put back stage/there/.*{name[2:]}"):
        restore(name, folder, "s3://stage/there", tmp_path / "back.parquet")
    assert kept.exists()
    assert not (tmp_path / "back.parquet").exists()


@pytest.mark.slow
def test_a_bucket_that_nobody_may_read_is_no_missing_snapshot(
    table: Path, folder: Path, store: Path, tmp_path: Path
) -> None:
    name = save(table, folder, "s3://stage/closed")
    # A process of its own: a connection is kept for as long as a process lives.
    wrong = os.environ | {"AWS_ACCESS_KEY_ID": "somebody", "AWS_SECRET_ACCESS_KEY": "else"}
    code = f"""
from pathlib import Path
from {restore.__module__} import restore
restore("{name}", Path("{folder}"), "s3://stage/closed", Path("{tmp_path}/back"))
"""
    done = subprocess.run([sys.executable, "-c", code], env=wrong, capture_output=True, text=True, check=False)
    assert "SnapshotError: the remote s3://stage/closed cannot be read: " in done.stderr
