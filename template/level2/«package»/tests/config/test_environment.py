"""A training knows the environment that it was declared for."""

from pathlib import Path

import pytest

from ...config.environment import check_environment
from ...errors import RefusedError


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    """Return a lock that has one package, in another version for Pythons of the past."""
    path = tmp_path / "requirements.lock"
    path.write_text(
        "some-thing==2.1 ; python_version >= '3' \\\n    --hash=x\nsome-thing==1.0 ; python_version < '3'\n"
    )
    return path


def install(folder: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / f"{name}.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(folder))


def test_these_tests_run_in_the_environment_of_the_lock() -> None:
    check_environment()


def test_another_version_is_named_beside_the_one_of_the_lock(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "old", "Some_Thing-1.0", monkeypatch)
    with pytest.raises(RefusedError, match=r"some-thing is 1\.0 and not 2\.1.*make install"):
        check_environment(lock)


def test_the_package_that_would_be_imported_counts(
    lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "old", "some_thing-1.0", monkeypatch)
    install(tmp_path / "new", "some_thing-2.1", monkeypatch)
    check_environment(lock)
