"""The matrix: what is written is what was found, and a part of it is played again for every change."""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from shared.assessment.ablation import Ablation, read_groups, switch_off
from shared.assessment.criteria.criteria import read_criteria
from shared.assessment.probes.probe import PROBES, Finding, absent, manual, present
from shared.assessment.report import matrix, models
from shared.assessment.report.record import read_assessment, update
from shared.assessment.runner import assess, cell
from shared.assessment.scenario.scenario import Scenario
from shared.base import ROOT, StageError, levels

from ..conftest import elsewhere

# What a first model, some days and a second model are enough for; all else takes minutes more.
QUICK_PARTS = {"first_model", "days", "second_model"}
QUICK = """
DAT-01 DAT-02 DAT-03 DAT-06 EXP-01 EXP-02 TRN-01 TRN-04 TRN-05 TRN-07 REG-01 TST-04 REL-01 REL-02 REL-04 REL-05
REL-08 SRV-01 SRV-02 MON-02 GOV-01 GOV-02
"""

# What a first model alone is enough for: half a minute at the upper levels.
FIRST = "DAT-03 DAT-06 EXP-01 TRN-01 TRN-07 TST-04 MON-02 GOV-01 REL-02"
PARTS = [
    *(pytest.param(level, QUICK, QUICK_PARTS, id=f"{level}") for level in (0, 1)),
    *(pytest.param(level, FIRST, {"first_model"}, id=f"{level}-first") for level in (2, 3, 4)),
    *(pytest.param(level, QUICK, QUICK_PARTS, id=f"{level}", marks=pytest.mark.full) for level in (2, 3, 4)),
]

FOUND = read_assessment()


class Stand:
    """Stands in for a context in which nothing happened."""

    output: tuple[str, ...] = ()

    def short(self, path: Path | str) -> str:
        return str(path)


def cell_of(monkeypatch: pytest.MonkeyPatch, probe: Any) -> dict[str, str]:
    monkeypatch.setitem(PROBES, "DAT-01", probe)
    return cell(Scenario(Stand()), read_criteria()["DAT-01"])  # type: ignore[arg-type]


@pytest.mark.parametrize("finding", [present("it was there"), manual("people did it"), absent("nothing")])
def test_a_cell_is_what_the_probe_found(monkeypatch: pytest.MonkeyPatch, finding: Finding) -> None:
    cell_ = cell_of(monkeypatch, lambda _: finding)
    assert (cell_["answer"], cell_["seen"]) == (finding.answer, finding.seen)


def test_a_probe_that_cannot_look_is_an_error_and_not_an_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    cell_ = cell_of(monkeypatch, lambda scenario: scenario.faults)
    assert cell_["answer"] == "ERROR"
    assert "AttributeError" in cell_["seen"]


def test_a_criterion_without_a_probe_is_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(PROBES, "DAT-01", raising=False)
    assert cell(Scenario(Stand()), read_criteria()["DAT-01"])["answer"] == "UNPROBED"  # type: ignore[arg-type]


def test_a_level_changes_its_own_column_only() -> None:
    one = {"DAT-01": {"answer": "PRESENT", "seen": "", "file": "", "probe": ""}}
    two = {"DAT-01": {"answer": "ABSENT", "seen": "", "file": "", "probe": ""}}
    before = update(update({"criteria": [], "seconds": {}}, 0, one, 1.0), 1, two, 2.0)
    after = update(before, 1, one, 3.0)
    assert before["criteria"][0]["answers"] == {"0": "PRESENT", "1": "ABSENT"}
    assert after["criteria"][0]["answers"] == {"0": "PRESENT", "1": "PRESENT"}
    assert [before["criteria"][0]["ok"], after["criteria"][0]["ok"]] == [True, False]
    assert after["seconds"] == {"0": 1.0, "1": 3.0}


def test_every_level_was_assessed_by_every_criterion() -> None:
    for row in FOUND["criteria"]:
        assert set(row["answers"]) >= set(map(str, levels())), f"{row['id']}: make assess"
        assert "ERROR" not in row["answers"].values(), row["id"]


def test_every_cell_that_is_not_as_expected_has_a_reason() -> None:
    without = [
        f"{cell['id']} at level {cell['level']}"
        for cell in matrix.differing(FOUND)
        if "no reason" in cell["reason"]
    ]
    assert not without


def test_the_pages_say_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert matrix.MATRIX.read_text() == matrix.matrix(FOUND), "docs/matrix.md is stale: make assess"
    written = models.PAGES
    monkeypatch.setattr(models, "PAGES", tmp_path)
    for path in models.write(FOUND):
        assert (written / path.name).read_text() == path.read_text(), (
            f"docs/models/{path.name} is stale: make assess"
        )


def test_every_link_of_the_pages_leads_somewhere() -> None:
    anchors = {
        path: set(re.findall(r"^## (\S+)$", path.read_text(), re.MULTILINE)) for path in matrix.EVIDENCE.iterdir()
    }
    pages = [matrix.MATRIX, *sorted(models.PAGES.iterdir())]
    links = {(page, link) for page in pages for link in re.findall(r"\]\(([^)]+)\)", page.read_text())}
    for page, link in links:
        if link.startswith("https://"):
            continue  # elsewhere
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve()
        assert target.exists(), f"{page.name}: {link}"
        assert not anchor or target == page.parent or target not in anchors or anchor.upper() in anchors[target], (
            link
        )


@pytest.mark.parametrize("group", read_groups(), ids=lambda group: f"{group['level']}-{group['group']}")
def test_every_component_that_is_switched_off_is_there_to_be(group: dict[str, Any], tmp_path: Path) -> None:
    level = shutil.copytree(ROOT / levels()[group["level"]], tmp_path / "level")
    for file in {component.file for component in group["components"] if component.file.startswith("../")}:
        beside = level / file
        beside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file.removeprefix("../"), beside)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {component.id for component in group["components"]} <= read_criteria().keys()
    switch_off(group["components"], level)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    changed = {os.path.relpath(path, level) for path in before | after if before.get(path) != after.get(path)}
    assert changed == {ablation.file for ablation in group["components"]}


def test_a_component_that_is_gone_is_named(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("nothing to see")
    with pytest.raises(StageError, match=r"no file in .* has 'LARGEST': nothing to change"):
        Ablation("DAT-06", "app.py", "", find="LARGEST", put="SMALLEST").switch_off(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("level", "ids", "parts"), PARTS)
def test_no_cell_has_changed(
    level: int, ids: str, parts: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with elsewhere(tmp_path_factory.mktemp("assess")):
        result = assess(level, ids=set(ids.split()), parts=parts)
    expected = {row["id"]: row["answers"][str(level)] for row in FOUND["criteria"]}
    changed = {name: cell for name, cell in result["column"].items() if cell["answer"] != expected[name]}
    assert not changed, f"{json.dumps(changed, indent=1)}\n{result['output'][-3000:]}"
    print(f"level {level}: {result['seconds']} s")
