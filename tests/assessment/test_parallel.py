"""Levels are assessed side by side: what they found comes as it is ready, and one that fails ends the others."""

import sys
from pathlib import Path

import psutil
import pytest

from shared.assessment.parallel import side_by_side
from shared.base import StageError

# Stands in for a level's assessment: level 0 finds something, level 1 fails, any other takes a minute.
ASSESSMENT = """#!/bin/sh
case $4 in
0) echo '{"column": {}, "seconds": 1.5, "told": "all"}' >$6 ;;
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


def test_what_was_found_is_passed_on() -> None:
    assert list(side_by_side([0, 0, 0])) == [(0, {"column": {}, "seconds": 1.5, "told": "all"})] * 3


def test_a_level_that_fails_is_named_and_ends_the_others() -> None:
    with pytest.raises(StageError, match="level 1 could not be assessed"):
        list(side_by_side([0, 1, 2]))
    assert not [each for each in psutil.Process().children() if "sleep" in each.name()]


def test_whoever_stops_listening_ends_them_all() -> None:
    found = side_by_side([2, 0])
    assert next(found)[0] == 0
    found.close()
    assert not [each for each in psutil.Process().children() if "sleep" in each.name()]
