"""What happens to a stage itself, tried on real files and real processes."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.base import ROOT, StageError, levels
from shared.stack.stage import Stage
from shared.world.faults import BREAK, MEND, Outcome, fill_disk, free_disk, kill
from shared.world.source import apply_all


@pytest.mark.parametrize("number", [number for number in levels() if number])
def test_the_feature_is_broken_and_mended_wherever_a_level_computes_it(number: int, tmp_path: Path) -> None:
    copy = tmp_path / "level"
    shutil.copytree(ROOT / levels()[number], copy, ignore=shutil.ignore_patterns("__pycache__"))
    before = {path: path.read_text() for path in copy.rglob("*.py")}
    broken = apply_all(copy, *BREAK)
    assert broken == [path for path, text in sorted(before.items()) if path.read_text() != text]
    for path in broken:
        compile(path.read_text(), path.name, "exec")
    assert apply_all(copy, *MEND) == broken
    assert {path: path.read_text() for path in before} == before


def test_the_script_of_a_notebook_can_be_broken(tmp_path: Path) -> None:
    cells = json.loads((ROOT / levels()[0] / "flight_delays.ipynb").read_text())["cells"]
    (tmp_path / "score.py").write_text(
        next(text for cell in cells if "%%writefile" in (text := "".join(cell["source"])))
    )
    assert apply_all(tmp_path, *BREAK) == [tmp_path / "score.py"]


def test_nothing_to_break_is_explained(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="nothing to change"):
        apply_all(tmp_path, *BREAK)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Return a stage whose only process writes to the file that it is told."""
    stage = Stage(0, tmp_path)
    (tmp_path / "logs").mkdir()
    stage._daily = subprocess.Popen(
        [sys.executable, "-m", "tests.scripts.write_to"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    yield stage
    stage.stop()


def ask_to_write(stage: Stage, path: Path) -> str:
    assert stage._daily
    assert stage._daily.stdin
    assert stage._daily.stdout
    print(path, file=stage._daily.stdin, flush=True)
    return stage._daily.stdout.readline().strip()


def test_nothing_can_be_written_to_a_full_disk(stage: Stage, tmp_path: Path) -> None:
    assert ask_to_write(stage, tmp_path / "a") == "written"
    fill_disk(stage)
    assert ask_to_write(stage, tmp_path / "a") == "File too large"
    with pytest.raises(StageError, match="failed"):
        stage.run(f"echo something > {tmp_path}/b")
    assert (tmp_path / "a").read_text() == "something"
    free_disk(stage)
    assert ask_to_write(stage, tmp_path / "a") == "written"
    stage.run(f"echo something > {tmp_path}/b")


def test_where_nothing_serves_nothing_is_killed(stage: Stage) -> None:
    assert kill(stage).outcome is Outcome.NOT_APPLICABLE
