"""Commands run side by side, so many at a time, and none is left when whoever waits for them is stopped."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from shared.parallel import in_parallel

from .conftest import ROOT, wait_for

# Two commands of three may run; each writes its process down and, told to end, takes a moment to clean up.
WAITING = """
import sys
from shared.parallel import in_parallel
script = "trap 'kill $!; echo >$0.ended; exit' TERM; echo $$ >$0.part; mv $0.part $0; sleep 60 & wait"
jobs = [(name, ["bash", "-c", script, f"{sys.argv[1]}/{name}"]) for name in "abc"]
in_parallel(jobs, 2, print, print)
"""


def test_lines_and_exit_codes_are_passed_on_by_job() -> None:
    said, ended = list[tuple[str, str]](), list[tuple[str, int]]()
    jobs = [("a", ["sh", "-c", "echo one; echo two >&2"]), ("b", ["sh", "-c", "echo three; exit 3"])]
    in_parallel(jobs, 1, lambda *line: said.append(line), lambda *code: ended.append(code))
    assert said == [("a", "one"), ("a", "two"), ("b", "three")]
    assert ended == [("a", 0), ("b", 3)]


def test_nothing_to_run_is_no_error() -> None:
    in_parallel([], 2, print, print)


def test_so_many_run_at_a_time(tmp_path: Path) -> None:
    """Two wait until the other one has begun; the third one begins when one of them has ended."""
    meet = "touch $0; until [ -e $1 ]; do sleep 0.05; done; touch $0.over"
    a, b = (str(tmp_path / name) for name in "ab")
    last = ["sh", "-c", "[ -e $0.over ] || [ -e $1.over ]", a, b]
    ended = dict[str, int]()
    jobs = [("a", ["sh", "-c", meet, a, b]), ("b", ["sh", "-c", meet, b, a]), ("c", last)]
    in_parallel(jobs, 2, print, ended.__setitem__)
    assert ended == dict.fromkeys("abc", 0)


def test_whoever_watches_is_called_meanwhile() -> None:
    calls = list[int]()
    in_parallel([("a", ["true"])], 1, print, lambda *_: None, lambda: calls.append(1))
    assert calls


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_ends_what_runs_and_begins_nothing(tmp_path: Path, how: signal.Signals) -> None:
    process = subprocess.Popen([sys.executable, "-c", WAITING, str(tmp_path)], cwd=ROOT, stderr=subprocess.PIPE)
    first, second = (wait_for("the start", (tmp_path / name).exists) and tmp_path / name for name in "ab")
    running = [psutil.Process(int(path.read_text())) for path in (first, second)]
    process.send_signal(how)
    _, problems = process.communicate(timeout=60)
    assert b"KeyboardInterrupt" in problems
    assert not [left for left in running if left.is_running()]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "a.ended", "b", "b.ended"]


def test_a_program_that_is_not_there_ends_the_others() -> None:
    with pytest.raises(FileNotFoundError):
        in_parallel([("a", ["sleep", "60"]), ("b", ["no-such-program"])], 2, print, print)
    assert not [process for process in psutil.Process().children() if "sleep" in process.name()]
