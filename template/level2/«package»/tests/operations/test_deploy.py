"""Releasing the application from a small repository, with a small server in its place."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ...config import paths, version
from ...config.version import NoCommitError
from ...operations import deploy, polling, processes
from ...operations.lock import exclusive_lock
from ...operations.processes import DeployError

OLD, NEW = "print('old')\n", "print('new')\n"
# What a release may do instead of answering `/version` with its own commit.
SILENT, RUBBISH, OTHER = "no answer", "an answer that is no JSON", "an answer of something else"
CRASH = "ends as soon as it starts"
NO_MODEL = "answers as itself, but has no model"

# Stands in for the process manager: asks the application to do it, and fails as the real one does.
SUPERVISORCTL = r"""#!/bin/bash
asked="${*:3}"
exec 3<>"/dev/tcp/127.0.0.1/$PORT" || exit 7
printf 'POST / HTTP/1.0\r\nContent-Length: %s\r\n\r\n%s' "${#asked}" "$asked" >&3
read -r _ status _ <&3
sed '1,/^\r$/d' <&3
[ "$status" = 200 ] || exit 7
"""


def git(repository: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(repository), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(repository: Path, code: str) -> str:
    """Commit `code` as the package; return the commit as releases name it."""
    (repository / "package" / "app.py").write_text(code)
    (repository / "requirements.lock").write_text("")
    git(repository, "add", ".")
    git(repository, "commit", "--message", "change")
    return git(repository, "rev-parse", "--short=12", "HEAD")


class Application:
    """Answers `/version` like an application that runs the release that was current when it was last restarted."""

    def __init__(self) -> None:
        self.release: Path | None = None
        self.process = 0  # counts the restarts
        application = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                answer = application.control(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self.send_response(500 if answer == CRASH else 200)
                self.end_headers()
                self.wfile.write(answer.encode())

            def do_GET(self) -> None:
                code = application.code()
                self.send_response(503 if SILENT in code else 200)
                self.end_headers()
                version = {
                    "application": application.version(),
                    "process": application.process,
                    "model": None if NO_MODEL in code else "1",
                }
                version = {"detail": OTHER} if OTHER in code else version
                self.wfile.write((RUBBISH if RUBBISH in code else json.dumps(version)).encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)

    def control(self, asked: str) -> str:
        """Do what the process manager is asked to, and return its answer."""
        if asked == "pid":
            return "1"
        if asked == "pid released:app":
            return str(self.process)
        assert asked == "restart released:*"
        self.release, self.process = deploy.current_release(), self.process + 1
        return CRASH if CRASH in self.code() else "started"

    def code(self) -> str:
        return (self.release / "package" / "app.py").read_text() if self.release else ""

    def version(self) -> str | None:
        unpacked = self.release / "COMMIT" if self.release else None
        return unpacked.read_text() if unpacked and unpacked.exists() else None


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with a small package in one commit, in place of the one this code stands in."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)  # a hook that runs the tests must not be answered with its own repository
    root = tmp_path / "checkout"
    (root / "package").mkdir(parents=True)
    git(root, "init", "--quiet", "--template=")
    commit(root, OLD)
    monkeypatch.setattr(version, "ROOT", root)
    monkeypatch.setattr(version, "PACKAGE", root / "package")
    monkeypatch.setattr(paths, "APP", tmp_path / "app")
    return root


@pytest.fixture
def application(tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """Serve `/version` from the checkout, as before the first release."""
    application = Application()
    application.control("restart released:*")
    tool = tmp_path / "bin" / "supervisorctl"
    tool.parent.mkdir()
    tool.write_text(SUPERVISORCTL)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PORT", str(application.server.server_port))
    monkeypatch.setattr(processes, "SECONDS_TO_COME_UP", 0.2)
    monkeypatch.setattr(polling, "SECONDS_BETWEEN_POLLS", 0.02)
    thread = threading.Thread(target=application.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield application
    application.server.shutdown()
    application.server.server_close()
    thread.join()


def test_what_was_committed_runs_and_not_what_lies_around(checkout: Path, application: Application) -> None:
    head = commit(checkout, NEW)
    (checkout / "package" / "app.py").write_text("print('not committed')\n")
    assert deploy.deploy("HEAD") == head
    assert application.code() == NEW
    assert application.version() == head


def test_a_release_stays_when_the_checkout_moves_on(checkout: Path, application: Application) -> None:
    deploy.deploy("HEAD")
    commit(checkout, NEW)
    assert application.code() == OLD


def test_any_commit_can_be_released_and_released_again(checkout: Path, application: Application) -> None:
    old = git(checkout, "rev-parse", "--short=12", "HEAD")
    new = commit(checkout, NEW)
    for revision, code in [(new, NEW), (old, OLD), (new, NEW)]:
        assert deploy.deploy(revision) == revision
        assert application.code() == code


def test_a_release_waits_for_the_one_before(application: Application) -> None:
    with ThreadPoolExecutor() as pool, exclusive_lock(paths.APP):
        waiting = pool.submit(deploy.deploy, "HEAD")
        with pytest.raises(TimeoutError):
            waiting.result(timeout=0.3)
        assert application.version() is None
    assert application.version() == waiting.result()


def test_a_commit_that_does_not_exist_is_named(application: Application) -> None:
    first = deploy.deploy("HEAD")
    with pytest.raises(NoCommitError, match=r"no commit 'nonsense'.*git log"):
        deploy.deploy("nonsense")
    assert application.version() == first


def test_a_commit_from_before_the_package_is_named(checkout: Path, application: Application) -> None:
    git(checkout, "mv", "package", "other")
    git(checkout, "commit", "--message", "the package has another name")
    with pytest.raises(NoCommitError, match="package"):
        deploy.deploy("HEAD")
    assert deploy.current_release() == checkout


@pytest.mark.parametrize("fault", [SILENT, RUBBISH, OTHER, CRASH, NO_MODEL])
def test_a_release_that_fails_goes_back_to_the_one_before(
    checkout: Path, application: Application, fault: str
) -> None:
    good = deploy.deploy("HEAD")
    bad = commit(checkout, fault)
    with pytest.raises(DeployError, match=f"{bad} did not come up.*back to {good}"):
        deploy.deploy("HEAD")
    assert application.code() == OLD
    assert application.version() == good


def test_a_first_release_that_fails_goes_back_to_the_checkout(checkout: Path, application: Application) -> None:
    commit(checkout, SILENT)
    with pytest.raises(DeployError):
        deploy.deploy("HEAD")
    assert application.release == checkout


def test_an_answer_of_another_release_is_not_taken_for_success(
    checkout: Path, application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = deploy.deploy("HEAD")
    commit(checkout, NEW)
    monkeypatch.setattr(deploy, "restart", lambda: True)  # the process before goes on
    with pytest.raises(DeployError):
        deploy.deploy("HEAD")
    assert application.version() == good


def test_a_release_that_was_killed_while_unpacking_is_unpacked_again(
    checkout: Path, application: Application
) -> None:
    head = commit(checkout, NEW)
    left = paths.APP / "releases" / f"{head}.part" / "package"
    left.mkdir(parents=True)
    (left / "app.py").write_text("print('ha")
    deploy.deploy("HEAD")
    assert application.code() == NEW
    assert [path.name for path in (paths.APP / "releases").iterdir()] == [head]


def test_nothing_is_released_without_a_process_manager(
    application: Application, checkout: Path, tmp_path: Path
) -> None:
    before = deploy.current_release()
    new = commit(checkout, NEW)
    (tmp_path / "bin" / "supervisorctl").write_text("#!/bin/bash\necho refused connection; exit 4\n")
    with pytest.raises(DeployError, match="the process manager does not answer, so nothing was released"):
        deploy.deploy(new)
    assert deploy.current_release() == before
