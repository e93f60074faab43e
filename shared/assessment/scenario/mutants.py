"""Small wrongs in a copy of a level: do its own tests notice?"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from ...base import ROOT
from .context import Scene

# What is put wrong, in which files, and which test files would be the ones to notice.
APPLICATION = ("serving/test_app.py",)
SCORING = ("serving/test_app.py", "data/test_features.py")
DATA = ("data/test_collect.py", "data/test_validate.py", "data/test_snapshot.py")


@dataclass
class Mutants:
    """What the level's own tests said: whether they pass, and which wrongs they noticed."""

    collected: bool = False
    green: bool = False
    noticed: dict[str, bool] = field(default_factory=dict)  # absent: there was nothing to put wrong
    said: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Wrong:
    """Something to put wrong: in which files, how, and which tests would be the ones to notice."""

    files: str
    change: Callable[[str], str]
    tests: tuple[str, ...]
    keyword: str = ""  # of the tests to run; with one, slow ones too

    def put(self, level: Path) -> bool:
        """Put it wrong; tell whether there was anything to change."""
        changed = False
        for path in sorted(level.glob(self.files)):
            text = path.read_text()
            path.write_text(self.change(text))
            changed |= path.read_text() != text
        return changed


def _replace(old: str, new: str) -> Callable[[str], str]:
    return lambda text: text.replace(old, new)


def _weekday(text: str) -> str:
    return text.replace("departure.weekday()", "departure.day").replace("+ 3) % 7", "+ 4) % 7")


WRONGS = {
    "a door that is gone": Wrong(
        "serving/app.py", _replace('@app.post("/predict")', '@app.post("/gone")'), APPLICATION
    ),
    "answers in another order": Wrong("serving/app.py", _replace(".tolist()", ".tolist()[::-1]"), APPLICATION),
    "a weekday off by one": Wrong("*/*.py", _weekday, SCORING),
    "impossible training data": Wrong(
        "tests/conftest.py", _replace('"temp": random.normal(50', '"temp": random.normal(5000'), DATA
    ),
    "a step without its artefact": Wrong(
        "training/tasks.py",
        _replace('mlflow.log_dict(report, "report.json")', "pass"),
        ("training/test_tasks.py",),
        "leaves",
    ),
}


def hunt(scene: Scene) -> Mutants:
    """Run the level's tests as they are, then once for each wrong."""
    told = Mutants()
    if not (scene.source / "tests").is_dir():
        return told
    files = tuple(dict.fromkeys(name for wrong in WRONGS.values() if not wrong.keyword for name in wrong.tests))
    told.collected, told.green, told.said["as it is"] = _run(scene, scene.source, files)
    for name, wrong in WRONGS.items():
        copy = scene.workspace / "assess" / "mutant"
        shutil.rmtree(copy, ignore_errors=True)
        level = shutil.copytree(
            scene.source, copy / scene.stage.package, ignore=shutil.ignore_patterns("__pycache__")
        )
        shutil.copy(ROOT / "requirements.lock", copy)
        if wrong.put(level):
            _, green, told.said[name] = _run(scene, level, wrong.tests, wrong.keyword)
            told.noticed[name] = not green
    return told


def _run(scene: Scene, level: Path, tests: tuple[str, ...], keyword: str = "") -> tuple[bool, bool, str]:
    """Run those of the test files that are there; tell whether any test was found, and whether all passed."""
    found = [str(level / "tests" / name) for name in tests if (level / "tests" / name).exists()]
    if not found:
        return False, True, f"there is no {' and no '.join(tests)}"
    options = ["-q", "-x", "-p", "no:cacheprovider", "--import-mode=importlib", "-c", str(ROOT / "pyproject.toml")]
    options += ["--rootdir", str(level.parent), *(["-k", keyword] if keyword else ["-m", "not slow"])]
    done = scene.command("python", "-m", "pytest", *options, *found, cwd=level.parent)
    said = [line for line in done.stdout.strip().splitlines() if line.startswith("FAILED")] or [""]
    return done.returncode != 5, done.returncode == 0, (said[-1] or done.stdout.strip().splitlines()[-1])[-160:]
