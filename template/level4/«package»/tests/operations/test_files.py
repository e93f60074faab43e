"""The files of a stage go from machine to machine: one has them at a time, and what a killed one wrote is gone."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ...config.version import PACKAGE, ROOT
from ..buckets import WHERE, serving_a_bucket
from ..databases import Server

pytestmark = pytest.mark.slow

Do = Callable[..., "subprocess.Popen[str]"]
AT_HAND = f"""
import os, signal, sys
from {PACKAGE.name}.config import paths
from {PACKAGE.name}.operations.files import at_hand, handed_over
def write(name, text):
    (paths.STAGE / name).parent.mkdir(parents=True, exist_ok=True)
    (paths.STAGE / name).write_text(text)
with at_hand():
    """


@pytest.fixture
def do(postgresql: Server, tmp_path: Path) -> Iterator[Do]:
    """Return what lets a machine do something, in Python, while it has the files."""
    with serving_a_bucket(tmp_path) as names:
        names |= {"FILES_REMOTE": "s3://stage/files", "METRICS_STORE": postgresql.make()}
        names["PYTHONPATH"] = f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"

        def do(machine: str, what: str, path: str = WHERE) -> "subprocess.Popen[str]":
            environment = os.environ | names | {"STAGE": str(tmp_path / machine), "PATH": path}
            command, pipe = [sys.executable, "-c", AT_HAND + what], subprocess.PIPE
            return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)

        yield do


def test_what_one_writes_the_next_one_has_and_what_is_removed_is_gone(do: Do, tmp_path: Path) -> None:
    assert do("one", "write('data/a', 'a'); write('issues/i', '1'); write('logs/l', '')").wait() == 0
    assert do("other", "(paths.STAGE / 'issues/i').unlink(); write('data/a', 'b')").wait() == 0
    assert do("one", "assert not (paths.STAGE / 'issues/i').exists()").wait() == 0
    assert (tmp_path / "one/data/a").read_text() == "b"  # of the same size
    assert not (tmp_path / "other/logs").exists()


def test_what_was_there_before_the_bucket_is_kept(do: Do, tmp_path: Path) -> None:
    (tmp_path / "old/data").mkdir(parents=True)
    (tmp_path / "old/data/a").write_text("a")
    assert do("old", "pass").wait() == 0
    assert do("other", "assert (paths.STAGE / 'data/a').read_text() == 'a'").wait() == 0


def test_who_is_killed_takes_nothing_back_and_keeps_nobody_waiting(do: Do, tmp_path: Path) -> None:
    assert do("one", "write('data/a', 'a')").wait() == 0
    assert do("other", "write('data/a', 'half'); os.kill(os.getpid(), signal.SIGKILL)").wait() < 0
    assert do("one", "assert (paths.STAGE / 'data/a').read_text() == 'a'").wait() == 0


def test_who_could_not_bring_them_takes_nothing_back(do: Do, tmp_path: Path) -> None:
    assert do("one", "write('data/a', 'a')").wait() == 0
    cut_off = tmp_path / "bin" / "rclone"  # of a machine that can write to the bucket, and not read from it
    cut_off.parent.mkdir()
    rclone = shutil.which("rclone", path=WHERE)
    cut_off.write_text(f'#!/bin/sh\ncase "$*" in *" :s3:stage/files /"*) exit 1;; esac; exec {rclone} "$@"')
    cut_off.chmod(0o700)
    assert "FilesError" in do("other", "pass", path=f"{cut_off.parent}:{WHERE}").communicate()[1]
    assert (tmp_path / "buckets/stage/files/data/a").read_text() == "a"


def test_others_wait_until_the_files_are_handed_over(do: Do, tmp_path: Path) -> None:
    wait = "print('here', flush=True); sys.stdin.readline()"
    first = do(
        "one", f"{wait}\n    with handed_over():\n        {wait}\n    print((paths.STAGE / 'data/a').read_text())"
    )
    assert first.stdin
    assert first.stdout
    assert first.stdout.readline() == "here\n"
    second = do("other", "write('data/a', 'of the other')")
    with pytest.raises(subprocess.TimeoutExpired):
        second.wait(2)
    first.stdin.write("\n")
    first.stdin.flush()
    assert second.wait() == 0
    out, error = first.communicate("\n")
    assert out == "here\nof the other\n", error
