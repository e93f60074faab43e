"""What a new repository has around its package, at every level: commands, workflows, documents."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.new.render import render

from ..conftest import ROOT

OVERLAY = ROOT / "shared/new/overlay"
SINCE = {".github/workflows/model.yml": 3, ".github/workflows/pipeline.yml": 4}  # the level that a file comes with
COLUMN = {"name": "plan", "type": "category", "nullable": False, "minimum": None, "maximum": None}
ANSWERS: dict[str, Any] = {
    "name": "churn-of-customers",
    "package": "churn_of_customers",
    "id": "customer",
    "time": "signed_up",
    "target": "churned",
    "positive": "yes",
    "negative": "no",
    "sources": {"customer": "Customer", "signed_up": "Signed up", "plan": "Plan"},
    "prediction": "probability_of_churned",
    "dayfirst": False,
    "rows_per_day": 40,
    "columns": [COLUMN | {"max_length": 20, "values": ["basic"]}],
    "example": {"customer": "row-000001", "signed_up": "2024-03-01T10:00:00", "plan": "basic"},
}
CASES = [
    (1, "binary", "cron"),
    (1, "regression", "systemd"),
    (2, "binary", "prefect"),
    (2, "regression", "systemd"),
    (3, "binary", "prefect"),
    (3, "regression", "cron"),
    (4, "binary", "systemd"),
    (4, "regression", "prefect"),
]
WORDS = re.compile(r"flight|airport|airline|carrier|new york|weather|\bshared/", re.IGNORECASE)


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(map(str, case)))
def faces(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the faces of a new repository, and just enough of a package for them to name."""
    level, kind, schedule = request.param
    root = tmp_path_factory.mktemp("new")
    answers = ANSWERS | {"level": level, "kind": kind, "schedule": schedule}
    for path in files(OVERLAY / "root"):
        if "«" in path.name:  # the answers, which Copier itself writes
            continue
        name = str(path.relative_to(OVERLAY / "root"))
        if level >= SINCE.get(name, 1):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(rendered(path, answers))
    (root / "requirements.lock").touch()
    config = root / "churn_of_customers/config"
    config.mkdir(parents=True)
    (config / "problem.py").write_text('"""The problem."""\n\nROWS = "instances"\nID = "customer"\n')
    (config / "files.py").write_text((ROOT / "level1_devops/config/files.py").read_text())
    for folder in (config, config.parent):
        (folder / "__init__.py").write_text('"""A room."""\n')
    return root


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")


def rendered(path: Path, answers: dict[str, Any]) -> str:
    return render(path.read_text(), answers)


def run(root: Path, *command: str) -> str:
    """Run a command, which must end well; return what it prints."""
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def targets(root: Path) -> set[str]:
    return set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))


def test_make_explains_itself(faces: Path) -> None:
    shown = run(faces, "make")
    for name in ("run", "daily", "train", "publish", "predict", "score", "deploy", "test", "check", "clean"):
        assert f"  make {name} " in shown


def test_every_target_is_phony_and_is_explained(faces: Path) -> None:
    text = (faces / "Makefile").read_text()
    phony = re.findall(r"^\.PHONY: (.*)$", text, re.MULTILINE)[0].split()
    assert set(phony) == targets(faces) == set(re.findall(r"^([a-z]+):.*## ", text, re.MULTILINE))


def test_make_knows_what_to_do_for_every_target(faces: Path) -> None:
    for name in sorted(targets(faces)):
        run(faces, "make", "-n", name, "FILE=x.csv", "ROW=1", "VERSION=1", "TO=2")


def test_a_command_that_lacks_something_says_what(faces: Path) -> None:
    done = subprocess.run(
        ["make", "-o", ".venv/.stage-installed", "-o", ".venv-serving/.installed", "publish"],
        cwd=faces,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode
    assert "FILE=" in done.stdout


def test_documents_name_only_commands_that_are_there(faces: Path) -> None:
    named = set[str]()
    workflows = [str(path) for path in files(faces / ".github")]
    for path in [faces / "README.md", *map(Path, workflows)]:
        for line in re.findall(r"(?:^|`|run: )make ([a-z][a-zA-Z0-9=. -]*)", path.read_text(), re.MULTILINE):
            named |= {word for word in line.split(" #")[0].split() if word.isalpha() and word.islower()}
    assert {"run", "train", "predict"} <= named
    assert named <= targets(faces)


def test_workflows_follow_the_schema_of_their_publisher(faces: Path) -> None:
    workflows = [str(path) for path in files(faces / ".github")]
    run(faces, tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *workflows)


def test_python_is_formatted_and_clean(faces: Path) -> None:
    names = ["stage.py", "score.py", "containers.py", "climb.py"]
    run(faces, tool("ruff"), "format", "--no-cache", "--check", *names)
    run(faces, tool("ruff"), "check", "--no-cache", *names)


@pytest.mark.parametrize("schedule", ["prefect", "cron"])
@pytest.mark.parametrize("level", [3, 4])
def test_a_swarm_has_every_service_that_one_machine_has(level: int, schedule: str) -> None:
    package = ROOT / f"template/level{level}/«package»"
    answers = ANSWERS | {"level": level, "kind": "binary", "schedule": schedule}
    names = "compose.yaml", "compose.scale.yaml"
    one, many = (set(yaml.safe_load(rendered(package / name, answers))["services"]) for name in names)
    assert ("clock" in one) == (schedule == "prefect")
    assert one - {"tests"} <= many  # which are run, and end


@pytest.mark.parametrize("level", [3, 4])
def test_the_environment_may_name_another_place_for_the_state(level: int, tmp_path: Path) -> None:
    answers = ANSWERS | {"level": level, "kind": "binary", "schedule": "cron"}
    for name in ("stage.py", "containers.py"):
        (tmp_path / name).write_text(rendered(OVERLAY / "root" / name, answers))
    (tmp_path / "churn_of_customers").mkdir()
    described = rendered(ROOT / f"template/level{level}/«package»/stage.yaml", answers)
    (tmp_path / "churn_of_customers" / "stage.yaml").write_text(described)
    names = {"MLFLOW_BACKEND_STORE_URI": "postgresql://a@b/mlflow", "MLFLOW_ARTIFACTS_DESTINATION": "s3://a/b"}
    show = "import json, stage; print(json.dumps(stage.describe()))"
    in_files = json.loads(run(tmp_path, sys.executable, "-c", show))
    elsewhere = json.loads(
        run(tmp_path, "env", *(f"{k}={v}" for k, v in names.items()), sys.executable, "-c", show)
    )
    assert in_files["MLFLOW_BACKEND_STORE_URI"] == f"sqlite:///{tmp_path}/stage/mlflow.db"
    assert elsewhere == in_files | names


def test_the_packages_have_the_floors_of_the_level(faces: Path) -> None:
    groups = tomllib.loads((faces / "pyproject.toml").read_text())["dependency-groups"]
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    level = 4 if "evidently>=0.7.20" in groups["stage"] else 3 if "serving" in groups else 2
    level = 1 if "mlflow>=3.10" not in groups["stage"] else level
    of_stage_py = {"psutil>=6", "pyyaml>=6"}
    assert flat(groups, "stage") | of_stage_py == flat(ours, f"level{level}") | of_stage_py
    assert flat(groups, "test") == flat(ours, "test")
    for name in ("postgresql", "scale") if level >= 3 else ():
        assert flat(groups, name) == flat(ours, name)
    assert ("serving" in groups) == (level >= 3)
    if level >= 3:
        assert flat(groups, "serving") == flat(ours, "serving")


def flat(groups: dict[str, list[Any]], name: str) -> set[str]:
    """Return the packages of a group and of all groups that it includes."""
    found = set[str]()
    for entry in groups[name]:
        found |= {entry} if isinstance(entry, str) else flat(groups, entry["include-group"])
    return found


def test_nothing_speaks_of_the_problem_it_was_made_for(faces: Path) -> None:
    for path in files(faces):
        if "config" not in path.parts:
            assert not WORDS.search(path.read_text()), path


def test_the_origin_is_one_line_of_the_readme(faces: Path) -> None:
    naming = [
        (path.name, line)
        for path in files(faces)
        for line in path.read_text().splitlines()
        if "mlops-levels" in line
    ]
    assert [name for name, _ in naming] == ["README.md"]
    assert len((faces / "README.md").read_text().splitlines()) <= 150


def test_lines_are_not_too_long(faces: Path) -> None:
    lines = (faces / "README.md").read_text().splitlines()
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.full
@pytest.mark.slow
def test_python_is_typed(faces: Path) -> None:
    run(faces, tool("mypy"), "--no-error-summary", "stage.py", "score.py", "containers.py", "climb.py")


def test_the_clock_of_the_stage_begins_at_six() -> None:
    (clock,) = OVERLAY.glob("package/*clock.py*")
    text = rendered(clock, ANSWERS | {"schedule": "prefect"})
    names: dict[str, Any] = {}
    kept = (
        text[text.index("TIME =") : text.index("SECONDS")]
        + text[text.index("def next_run") : text.index("def keep")]
    )
    exec(f"from datetime import datetime, time, timedelta\n{kept}", names)  # noqa: S102 - a template of ours
    moment = names["datetime"]
    assert names["next_run"](moment(2024, 3, 1, 5, 59)) == moment(2024, 3, 1, 6)
    assert names["next_run"](moment(2024, 3, 1, 6)) == moment(2024, 3, 2, 6)
