"""A project climbs: the next level is merged into it, what its people changed stays, and nothing is half done."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.base import git

from ..conftest import ROOT

pytestmark = pytest.mark.slow
AUTHOR = {f"GIT_{who}_{what}": "churn@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clone of this repository, with the working tree committed."""
    path = tmp_path_factory.mktemp("template") / "clone"
    git(ROOT, "clone", "--quiet", "--shared", str(ROOT), str(path))
    shutil.rmtree(path / "template")
    for name in ("template", "shared"):
        shutil.copytree(ROOT / name, path / name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "copier.yml", path)
    commit(path)
    return path


@pytest.fixture(scope="module")
def made(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of level 2."""
    to = tmp_path_factory.mktemp("made") / "churn"
    command = [sys.executable, "-m", "shared", "new", str(to), "--level", "2", "--name", "churn"]
    subprocess.run(command, cwd=template, check=True, capture_output=True)
    return to


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    """Return a copy of that project."""
    path = tmp_path / "churn"
    shutil.copytree(made, path, ignore=shutil.ignore_patterns("stage"))
    return path


def commit(path: Path) -> None:
    git(path, "add", "--all")
    git(path, "commit", "--quiet", "--allow-empty", "--message", "ours", **AUTHOR)


def climb(project: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "climb.py", *arguments]
    given = os.environ | AUTHOR
    return subprocess.run(command, cwd=project, env=given, capture_output=True, text=True, check=False)


def change(path: Path, find: str, put: str) -> None:
    text = path.read_text()
    assert find in text
    path.write_text(text.replace(find, put, 1))


def refused(project: Path, *arguments: str) -> str:
    """Return what a climb says that changes nothing."""
    before = git(project, "rev-parse", "HEAD"), git(project, "status", "--porcelain")
    done = climb(project, *arguments)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert (git(project, "rev-parse", "HEAD"), git(project, "status", "--porcelain")) == before
    return done.stderr


def test_what_people_changed_climbs_with_them(project: Path) -> None:
    change(
        project / "churn/data/features.py",
        '        "weekday": ',
        '        "ours": 0 * moment.astype(int),\n        "weekday": ',
    )
    change(project / "churn/params.yaml", "max_iter: 150", "max_iter: 80")
    (project / "churn/tests/test_ours.py").write_text('"""Ours."""\n')
    change(project / "churn/serving/app.py", "model, name = load_model()", "model, name = load_model()  # ours")
    commit(project)
    done = climb(project, "3")
    assert done.returncode == 0, done.stderr
    assert '"ours": 0' in (project / "churn/data/features.py").read_text()
    params = (project / "churn/params.yaml").read_text()
    assert "max_iter: 80" in params
    assert "approval: automatic" in params
    assert (project / "churn/tests/test_ours.py").exists()
    assert (project / "churn/delivery/pipeline.py").exists()
    assert "level: 3" in (project / ".copier-answers.yml").read_text()
    app = (project / "churn/serving/app.py").read_text()
    assert "load_model()  # ours" in app
    assert ">>>>>>> after updating" in app
    assert git(project, "diff", "--name-only", "--diff-filter=U").split() == ["churn/serving/app.py"]
    assert "\n  churn/serving/app.py\n" in done.stdout
    assert "for you to decide" in done.stderr.lower()


@pytest.mark.parametrize(
    ("to", "told"),
    [("1", "TO=3"), ("2", "TO=3"), ("4", "TO=3"), ("5", "TO=3"), ("up", "TO=3"), ("3 x y", "usage")],
)
def test_only_the_next_level_can_be_climbed_to(project: Path, to: str, told: str) -> None:
    assert told in refused(project, *to.split())


def test_above_the_highest_level_is_nothing(project: Path) -> None:
    change(project / ".copier-answers.yml", "level: 2", "level: 4")
    assert "`make update`" in refused(project, "5")


def test_changes_are_to_be_committed_first(project: Path) -> None:
    (project / "new.txt").touch()
    assert "commit your changes first" in refused(project, "3")


def test_a_template_that_is_elsewhere_is_asked_for_and_noted(
    project: Path, template: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "moved"
    git(template, "clone", "--quiet", str(template), str(moved))
    change(project / ".copier-answers.yml", f"_src_path: {template}", "_src_path: /nowhere")
    commit(project)
    assert "FROM=address" in refused(project, "3")
    assert "FROM=address" in refused(project, "3", "/nowhere/else")
    assert climb(project, "3", str(moved)).returncode == 0
    assert f"_src_path: {moved}" in git(project, "show", "HEAD:.copier-answers.yml")


def test_a_climb_that_fails_half_way_leaves_nothing_behind(project: Path, template: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(template, "clone", "--quiet", str(template), str(other))
    answers = project / ".copier-answers.yml"
    known = next(line for line in answers.read_text().splitlines() if line.startswith("_commit:"))
    change(answers, known, "_commit: gone")
    commit(project)
    assert "Nothing has been changed" in refused(project, "3", str(other))


def test_a_later_version_of_the_level_is_merged_too(project: Path, template: Path, tmp_path: Path) -> None:
    later = tmp_path / "later"
    git(template, "clone", "--quiet", str(template), str(later))
    change(later / "template/level2/README.md", "## Start", "Later: new.\n\n## Start")
    commit(later)
    change(project / "README.md", "## Every day", "## Each day")
    commit(project)
    assert climb(project, "update").stdout == "nothing is newer\n"
    done = climb(project, "update", str(later))
    assert done.returncode == 0, done.stderr
    text = (project / "README.md").read_text()
    assert "Later: new." in text
    assert "## Each day" in text
    assert "level: 2" in (project / ".copier-answers.yml").read_text()
