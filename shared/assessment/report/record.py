"""What was found so far, kept in docs/assessment.json: all pages are made of it, a level adds its column."""

import json
from pathlib import Path
from typing import Any

from ...base import ROOT
from ..criteria.criteria import read_criteria
from ..probes.probe import Column

ASSESSMENT = ROOT / "docs" / "assessment.json"


def read_assessment(path: Path = ASSESSMENT) -> dict[str, Any]:
    """Return what was found so far; nothing before the first assessment."""
    return dict(json.loads(path.read_text())) if path.exists() else {"criteria": [], "seconds": {}}


def update(assessment: dict[str, Any], level: int, column: Column, seconds: float) -> dict[str, Any]:
    """Return the assessment with this level's column replaced, and all others as they were."""
    rows = {row["id"]: row for row in assessment["criteria"]}
    updated = []
    for name, criterion in read_criteria().items():
        row = rows.get(name, {"answers": {}, "evidence": {}})
        answers, evidence = dict(row["answers"]), dict(row["evidence"])
        if name in column:
            answers[str(level)] = column[name]["answer"]
            evidence[str(level)] = {key: value for key, value in column[name].items() if key != "answer"}
        expected = {str(n): str(answer) for n, answer in enumerate(criterion.expected)}
        updated.append(
            {
                "id": name,
                "statement": criterion.statement,
                "answers": answers,
                "expected": expected,
                "ok": all(answer == expected[number] for number, answer in answers.items()),
                "evidence": evidence,
            }
        )
    return assessment | {"criteria": updated, "seconds": assessment["seconds"] | {str(level): seconds}}
