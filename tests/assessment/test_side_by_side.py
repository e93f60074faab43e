"""Levels are assessed in parallel: results come as they are ready, and one that fails ends the others."""

import sys
from pathlib import Path

import psutil
import pytest

from shared.assessment.runner import Result
from shared.assessment.side_by_side import assess_all
from shared.base import StageError

# Stands in for a level's assessment: levels 0, 3 and 4 have a result, level 1 fails, any other takes a minute.
ASSESSMENT = """#!/bin/sh
case $4 in
0|3|4) echo '{"column": {}, "seconds": 1.5, "output": "all"}' >$5 ;;
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
    results = list[tuple[int, Result]]()
    assess_all([0, 3, 4], lambda level, result: results.append((level, result)))
    assert sorted(results) == [(level, {"column": {}, "seconds": 1.5, "output": "all"}) for level in (0, 3, 4)]


def test_a_level_that_fails_is_named_and_ends_the_others() -> None:
    with pytest.raises(StageError, match="level 1 could not be assessed"):
        assess_all([0, 1, 2], lambda _level, _result: None)
    assert not [process for process in psutil.Process().children() if "sleep" in process.name()]


def test_a_result_that_cannot_be_used_ends_them_all() -> None:
    def stop(level: int, _result: Result) -> None:
        raise ValueError(f"of level {level}")

    with pytest.raises(ValueError, match="of level 0"):
        assess_all([2, 0], stop)
    assert not [process for process in psutil.Process().children() if "sleep" in process.name()]
