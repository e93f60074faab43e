"""The bill of materials of a level: valid, and what the level installs rather than what checks it."""

import json
from itertools import pairwise
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from shared import base
from shared.base import StageError, levels
from shared.new import sbom


def packages(number: int) -> set[str]:
    text = sbom.write(number).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    return {component["name"] for component in json.loads(text)["components"]}


def test_the_bill_of_each_level_is_valid_and_holds_that_of_the_level_below(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "WORKSPACES", tmp_path)
    bills = [packages(number) for number in levels()]
    assert all(below < above for below, above in pairwise(bills))
    assert {"numpy", "pandas"} <= bills[0]
    assert "bentoml" in bills[3] - bills[2]
    assert not {"mypy", "ruff", "pywin32"} & bills[4]


def test_a_level_that_is_not_there_is_named() -> None:
    with pytest.raises(StageError, match="there is no level 9"):
        sbom.write(9)
