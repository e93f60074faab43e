"""The Bento of a package: built once, and named by what is in it. That it serves is tested on a whole stage."""

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ...config.problem import NAME
from ...delivery import bento
from ...delivery.bento import BentoError, build_bento
from ...delivery.package import package as make_package
from ...registry.artifact import BrokenArtifactError
from ...serving.rollout import bundled
from ...training.train import train

DIGEST = "0123456789abcdef" * 4


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    for name in ("model.onnx", "package.json"):
        (folder / name).write_text(name)
    monkeypatch.setenv("BENTOML_HOME", str(tmp_path / "bentos"))
    monkeypatch.setenv("SERVING", "python-of-nobody")
    monkeypatch.setattr(bento, "application_version", lambda: "a commit")
    return folder


def test_what_is_built_holds_code_package_and_lock(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def build(command: list[str], cwd: str, env: dict[str, str], **_: Any) -> "subprocess.CompletedProcess[str]":
        seen["files"] = {str(path.relative_to(cwd)) for path in Path(cwd).rglob("*") if path.is_file()}
        seen["described"] = json.dumps(Path(cwd, "bentofile.yaml").read_text())
        seen["command"], seen["path"] = command, env["PYTHONPATH"] == cwd
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", build)
    assert build_bento(package, DIGEST) == f"{NAME}:0123456789ab"
    code = Path(bento.__file__).parents[1].name
    assert seen["files"] >= {
        f"{code}/serving/service.py",
        "package/model.onnx",
        "package/package.json",
        "requirements.lock",
    }
    assert not [name for name in seen["files"] if "tests" in name or "__pycache__" in name]
    assert seen["command"][seen["command"].index("--version") + 1] == "0123456789ab"
    assert seen["path"]
    assert "onnxruntime==" in seen["described"]


def test_it_is_not_built_twice(package: Path) -> None:
    Path(os.environ["BENTOML_HOME"], "bentos", NAME, DIGEST[:12]).mkdir(parents=True)
    assert build_bento(package, DIGEST) == f"{NAME}:0123456789ab"


def test_a_build_that_fails_says_why(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "Traceback\nImportError: no such thing")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(BentoError, match="ImportError: no such thing"):
        build_bento(package, DIGEST)


def test_a_hidden_folder_for_temporary_files_is_named(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden = tmp_path / ".tmp"
    hidden.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(hidden))
    with pytest.raises(BentoError, match=f"let TMPDIR be another one than {hidden}"):
        build_bento(package, DIGEST)


def test_the_package_beside_the_code_answers_where_no_registry_is_named(
    instances: pd.DataFrame, tmp_path: Path
) -> None:
    digest = make_package(train(instances, {"max_iter": 5}), instances, {}, tmp_path / "bundled")
    rollout = bundled(tmp_path / "bundled")
    assert rollout.champion
    assert (rollout.champion.name, rollout.challenger) == (f"{NAME}@{digest[:12]}", None)
    with pytest.raises(BrokenArtifactError, match="no registry is named"):
        bundled(tmp_path / "nothing")
