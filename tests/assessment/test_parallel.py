"""Levels are assessed in parallel: results come as they are ready, and one that fails ends the others."""

import sys
from pathlib import Path

import psutil
import pytest

from shared.assessment.parallel import in_parallel
from shared.base import StageError

# Stands in for a level's assessment: level 0 has a result, level 1 fails, any other takes a minute.
ASSESSMENT = """#!/bin/sh
case $4 in
0) echo '{"column": {}, "seconds": 1.5, "output": "all"}' >$5 ;;
1) exit 1 ;;
*) exec sleep 60 ;;
esac
"""


@pytest.fixture(autouse=True)
def assessment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    script.write_text(ASSESSMENT)
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))


def test_results_are_passed_on() -> None:
    assert list(in_parallel([0, 0, 0])) == [(0, {"column": {}, "seconds": 1.5, "output": "all"})] * 3


def test_a_level_that_fails_is_named_and_ends_the_others() -> None:
    with pytest.raises(StageError, match="level 1 could not be assessed"):
        list(in_parallel([0, 1, 2]))
    assert not [process for process in psutil.Process().children() if "sleep" in process.name()]


def test_whoever_stops_listening_ends_them_all() -> None:
    results = in_parallel([2, 0])
    assert next(results)[0] == 0
    results.close()
    assert not [process for process in psutil.Process().children() if "sleep" in process.name()]
