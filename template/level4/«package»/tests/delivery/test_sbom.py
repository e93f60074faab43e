"""The bill of materials: what is installed where models serve, in a form that scanners take, always the same."""

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from ...delivery import sbom


def test_the_bill_is_valid_complete_and_the_same_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVING", sys.executable)
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert sbom.write(first) == sbom.write(second) == hashlib.sha256(first.read_bytes()).hexdigest()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(first.read_text()) is None
    bill = json.loads(first.read_text())
    assert f"pkg:pypi/numpy@{version('numpy')}" in {component["purl"] for component in bill["components"]}
