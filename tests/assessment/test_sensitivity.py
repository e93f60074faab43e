"""Probes that read a level's files notice when a component is switched off; they need no stage."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.assessment.ablation import Ablation, read_groups
from shared.assessment.probes import data, training
from shared.assessment.probes.probe import PROBES
from shared.assessment.probes.tests import _release_waits_for_tests
from shared.assessment.scenario.scenario import Scenario
from shared.base import ROOT, levels

ABLATIONS = {
    (group["level"], component.id): component for group in read_groups() for component in group["components"]
}


class Copy:
    """Stands in for a context: a copy of a level that has not run."""

    def __init__(self, level: int, folder: Path) -> None:
        self.workspace = folder
        self.source = shutil.copytree(ROOT / levels()[level], folder / levels()[level])

    def short(self, path: Path) -> str:
        return str(path.relative_to(self.workspace))

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        line = [sys.executable, *arguments[1:]]
        return subprocess.run(line, cwd=self.workspace, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("level", "criterion", "usual"),
    [
        pytest.param(0, "EXP-01", "PRESENT", marks=pytest.mark.slow),  # runs cells, as TRN-07 imports modules
        (2, "DAT-06", "PRESENT"),
        pytest.param(2, "TRN-07", "PRESENT", marks=pytest.mark.slow),
    ],
)
def test_a_probe_notices_that_its_component_is_off(tmp_path: Path, level: int, criterion: str, usual: str) -> None:
    copy = Copy(level, tmp_path)
    assert PROBES[criterion](Scenario(copy)).answer == usual  # type: ignore[arg-type]
    ABLATIONS[level, criterion].switch_off(copy.source)
    assert PROBES[criterion](Scenario(copy)).answer == "ABSENT"  # type: ignore[arg-type]


def test_a_release_that_waits_for_no_test_is_noticed(tmp_path: Path) -> None:
    copy = Copy(1, tmp_path)
    assert _release_waits_for_tests(copy)  # type: ignore[arg-type]
    ABLATIONS[1, "TST-01"].switch_off(copy.source)
    assert not _release_waits_for_tests(copy)  # type: ignore[arg-type]


@pytest.mark.parametrize(("level", "where"), [(0, ".ipynb"), (1, "app.py"), (2, "features.py")])
def test_features_are_found_where_each_level_computes_them(tmp_path: Path, level: int, where: str) -> None:
    places = data.definitions(Copy(level, tmp_path))  # type: ignore[arg-type]
    assert any(where in place for place in places)
    assert (len(places) == 1) == (level >= 2)


@pytest.mark.slow
@pytest.mark.parametrize("level", [0, 2])
def test_models_are_fitted_in_notebooks_or_in_modules_and_never_in_both(tmp_path: Path, level: int) -> None:
    copy = Copy(level, tmp_path)
    answers = {training.only_from_notebooks, training.modules_not_notebooks}
    found = {probe.__name__: probe(Scenario(copy)).answer for probe in answers}  # type: ignore[arg-type]
    assert sorted(found.values()) == ["ABSENT", "PRESENT"]


def test_a_file_that_is_taken_away_is_gone(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_features.py").touch()
    Ablation("TST-03", "tests/test_features.py", "").switch_off(tmp_path)
    assert not list((tmp_path / "tests").iterdir())
