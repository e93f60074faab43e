"""Which code runs, in a small repository."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ...config import version
from ...config.version import NoCommitError, application_version, code_hash, resolve, unpack


def git(repository: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(repository), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make a repository with one commit, in place of the one this code stands in."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)  # a hook that runs the tests must not be answered with its own repository
    git(tmp_path, "init", "--quiet")
    (tmp_path / "app.py").write_text("print('hello')\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--message", "change")
    monkeypatch.setattr(version, "ROOT", tmp_path)
    application_version.cache_clear()
    yield tmp_path
    application_version.cache_clear()


def test_a_checkout_is_named_by_its_commit(checkout: Path) -> None:
    assert application_version() == git(checkout, "rev-parse", "--short=12", "HEAD")


def test_a_checkout_with_changes_says_so(checkout: Path) -> None:
    (checkout / "app.py").write_text("print('changed')\n")
    assert application_version() == f"{resolve('HEAD')}-dirty"


def test_unpacked_code_knows_its_commit_without_git(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (checkout / "COMMIT").write_text("0123456789ab\n")
    monkeypatch.setenv("PATH", "")
    assert application_version() == "0123456789ab"


def test_code_of_nowhere_is_unknown(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert application_version() == "unknown"


def test_a_checkout_of_another_user_is_not_mistaken_for_one_without_commits(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    with pytest.raises(NoCommitError, match=f"another user's checkout.*safe.directory {checkout}"):
        resolve("HEAD")


def test_what_no_commit_holds_is_named(checkout: Path) -> None:
    with pytest.raises(NoCommitError, match=r"no commit 'nonsense'.*git log"):
        resolve("nonsense")
    with pytest.raises(NoCommitError, match=f"{resolve('HEAD')} holds no package or lock"):
        unpack(resolve("HEAD"), checkout / "there", "package", "lock")


def test_other_code_has_another_hash_and_other_tests_do_not(tmp_path: Path) -> None:
    for name in ("one", "two", "three", "four"):
        (tmp_path / name / "tests").mkdir(parents=True)
        (tmp_path / name / "app.py").write_text("print('hello')\n")
    (tmp_path / "two" / "tests" / "test_app.py").touch()
    (tmp_path / "three" / "app.py").write_text("print('changed')\n")
    (tmp_path / "four" / "app.py").rename(tmp_path / "four" / "main.py")
    one, two, three, four = (code_hash(tmp_path / name) for name in ("one", "two", "three", "four"))
    assert one == two
    assert len({one, three, four}) == 3
