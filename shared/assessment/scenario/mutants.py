"""Mutants, small defects in a copy of a level: do its own tests notice them?"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from ...base import ROOT
from ...world.source import SourceChange
from .context import Context

# Which test files would be the ones to notice.
APPLICATION = ("serving/test_app.py",)
SCORING = ("serving/test_app.py", "data/test_features.py")
DATA = ("data/test_collect.py", "data/test_validate.py", "data/test_snapshot.py")


@dataclass
class Mutants:
    """What the level's own tests found: whether they pass, and which mutants they noticed."""

    collected: bool = False
    green: bool = False
    noticed: dict[str, bool] = field(default_factory=dict)  # absent: there was nothing to change
    output: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Mutation:
    """How a mutant is made, and which tests would be the ones to notice it."""

    changes: tuple[SourceChange, ...]
    tests: tuple[str, ...]
    keyword: str = ""  # of the tests to run; with one, slow ones too


MUTATIONS = {
    "an endpoint that is gone": Mutation(
        (SourceChange("serving/app.py", '@app.post("/predict"', '@app.post("/gone"'),), APPLICATION
    ),
    "answers in another order": Mutation(
        (
            SourceChange("serving/app.py", ".tolist()", ".tolist()[::-1]"),
            SourceChange("serving/rollout.py", ".tolist()", ".tolist()[::-1]"),
        ),
        APPLICATION,
    ),
    "a weekday off by one": Mutation(
        (
            SourceChange("*/*.py", "departure.weekday()", "departure.day"),
            SourceChange("*/*.py", "+ 3) % 7", "+ 4) % 7"),
        ),
        SCORING,
    ),
    "impossible training data": Mutation(
        (SourceChange("tests/conftest.py", '"temp": random.normal(50', '"temp": random.normal(5000'),), DATA
    ),
    "a step without its artifact": Mutation(
        (SourceChange("training/tasks.py", 'mlflow.log_dict(report, "report.json")', "pass"),),
        ("training/test_tasks.py",),
        "leaves",
    ),
}


def run_mutants(context: Context) -> Mutants:
    """Run the level's tests as they are, then once for each mutant."""
    mutants = Mutants()
    if not (context.source / "tests").is_dir():
        return mutants
    quick = [mutation.tests for mutation in MUTATIONS.values() if not mutation.keyword]
    files = tuple(dict.fromkeys(name for tests in quick for name in tests))
    mutants.collected, mutants.green, mutants.output["as it is"] = _run(context, context.source, files)
    for name, mutation in MUTATIONS.items():
        copy = context.workspace / "assess" / "mutant"
        shutil.rmtree(copy, ignore_errors=True)
        caches = shutil.ignore_patterns("__pycache__")
        level = shutil.copytree(context.source, copy / context.stage.package, ignore=caches)
        shutil.copy(ROOT / "requirements.lock", copy)
        if [path for change in mutation.changes for path in change.apply(level)]:
            _, green, mutants.output[name] = _run(context, level, mutation.tests, mutation.keyword)
            mutants.noticed[name] = not green
    return mutants


def _run(context: Context, level: Path, tests: tuple[str, ...], keyword: str = "") -> tuple[bool, bool, str]:
    """Run those of the test files that are there; tell whether any test was found, and whether all passed."""
    files = [str(level / "tests" / name) for name in tests if (level / "tests" / name).exists()]
    if not files:
        return False, True, f"there is no {' and no '.join(tests)}"
    options = ["-q", "-x", "-p", "no:cacheprovider", "--import-mode=importlib", "-c", str(ROOT / "pyproject.toml")]
    options += ["--rootdir", str(level.parent), *(["-k", keyword] if keyword else ["-m", "not slow"])]
    done = context.command("python", "-m", "pytest", *options, *files, cwd=level.parent)
    lines = done.stdout.strip().splitlines()
    failures = [line for line in lines if line.startswith("FAILED")]
    return done.returncode != 5, done.returncode == 0, (failures or lines)[-1][-160:]
