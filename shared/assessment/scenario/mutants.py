"""Mutants, small defects in a copy of a level: do its own tests notice them?"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from ...base import ROOT
from ...world.source import SourceChange
from .context import Context
from .pytest_runs import Job, Run, run_all
from .seeded_defects import IN_A_NOTEBOOK

NO_TESTS = 5  # how pytest ends when it has found none

# Which test files would be the ones to notice.
FEATURES = ("data/test_features.py", "serving/test_to_row.py")
APPLICATION = ("serving/test_app.py",)
SCORING = ("serving/test_app.py", "data/test_features.py")


@dataclass
class Mutants:
    """What the level's own tests found: whether they pass, and which mutants they noticed."""

    collected: bool = False
    green: bool = False
    noticed: dict[str, bool] = field(default_factory=dict)  # absent: there was nothing to change
    output: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, list[str]] = field(default_factory=dict)  # of code, with the mutants of each


@dataclass(frozen=True)
class Mutation:
    """How a mutant is made, and which tests would be the ones to notice it."""

    changes: tuple[SourceChange, ...]
    tests: tuple[str, ...]
    keyword: str = ""  # of the tests to run; with one, slow ones too
    room: str = ""  # of code that it stands for


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
        room="serving",
    ),
    "a weekday off by one": Mutation(
        (
            SourceChange("*/*.py", "departure.weekday()", "departure.day"),
            SourceChange("*/*.py", "+ 3) % 7", "+ 4) % 7"),
        ),
        SCORING,
    ),
    "a minute of the day off by one": Mutation(
        (
            SourceChange("data/features.py", "(departure - day).astype(int)", "(departure - day).astype(int) + 1"),
            SourceChange("*.ipynb", "(departure - day).astype(int)", "(departure - day).astype(int) + 1"),
        ),
        FEATURES,
    ),
    "impossible training data": Mutation(
        (SourceChange("tests/conftest.py", '"temp": random.normal(50', '"temp": random.normal(5000'),),
        ("data/test_validate.py",),
    ),
    "a step without its artifact": Mutation(
        (SourceChange("training/tasks.py", 'mlflow.log_dict(report, "report.json")', "pass"),),
        ("training/test_tasks.py",),
        "leaves",
    ),
    "a file that is not replaced": Mutation(
        (SourceChange("config/files.py", "        part.replace(path)\n", "        pass\n"),),
        ("config/test_files.py",),
        room="config",
    ),
    "data published again and ignored": Mutation(
        (
            SourceChange(
                "data/collect.py", "target.exists() and target.read_bytes() == content", "target.exists()"
            ),
        ),
        ("data/test_collect.py",),
        room="data",
    ),
    "labels turned around in a notebook": Mutation((IN_A_NOTEBOOK["bad"],), ("training",), room="training"),
    "held-out days that are trained on": Mutation(
        (SourceChange("training/evaluate.py", "return table[~recent], ", "return table, "),),
        ("training/test_evaluate.py",),
        room="training",
    ),
    "a model that no training has registered": Mutation(
        (SourceChange("registry/models.py", "if not version.run_id or not version", "if not version"),),
        ("registry/test_models.py",),
        room="registry",
    ),
    "a gate that lets everything through": Mutation(
        (SourceChange("delivery/model_gates.py", "return bound <= limit, ", "return True, "),),
        ("delivery/test_gates.py",),
        room="delivery",
    ),
    "a contribution of another feature": Mutation(
        (SourceChange("audit/explain.py", "zip(names, map", "zip(names[::-1], map"),),
        ("audit/test_explain.py",),
        room="audit",
    ),
    "an alarm that holds nothing": Mutation(
        (SourceChange("monitoring/decide.py", "if decision := _about_holds(", "if decision := None and ("),),
        ("monitoring/test_decide.py",),
        room="monitoring",
    ),
    "a failed release that stays": Mutation(
        (SourceChange("operations/deploy.py", "            _switch(before)\n", ""),),
        ("operations/test_deploy.py",),
        room="operations",
    ),
}


def run_mutants(context: Context) -> Mutants:
    """Run the level's tests as they are, file by file, and for each mutant those that should notice it."""
    mutants = Mutants(rooms={room: [] for room in rooms_of(context.source)})
    if not (context.source / "tests").is_dir():
        return mutants
    levels = {name: level for name in MUTATIONS if (level := _mutate(context, name))}
    asked = {name: files for name, level in levels.items() if (files := _files(level, name))}
    quick = dict.fromkeys(file for name, files in asked.items() if not MUTATIONS[name].keyword for file in files)
    jobs = {name: _job(levels[name], files, MUTATIONS[name].keyword) for name, files in asked.items()}
    jobs |= {file: _job(context.source, [file]) for file in quick}
    ended = dict(zip(jobs, run_all(list(jobs.values()), context.workspace / "assess"), strict=True))
    red = [_last(ended[file]) for file in quick if ended[file].code]
    mutants.collected, mutants.green = bool(quick), not red
    mutants.output["as it is"] = red[0] if red else f"{len(quick)} files with tests pass"
    for name in levels:
        run = ended.get(name, Run(NO_TESTS, f"no tests/{', no tests/'.join(MUTATIONS[name].tests)}"))
        mutants.noticed[name] = run.code not in (0, NO_TESTS)
        mutants.output[name] = _last(run)
        if room := MUTATIONS[name].room:
            mutants.rooms[room].append(name)
    context.note("\n".join(f"{name}: {output}" for name, output in mutants.output.items()))
    return mutants


def rooms_of(level: Path) -> list[str]:
    """Return the rooms of a level's code: its folders with modules; a notebook is one of training."""
    folders = {path.parent.name for path in level.glob("*/*.py") if path.name != "__init__.py"} - {"tests"}
    return sorted(folders | {"training" for _ in level.glob("*.ipynb")})


def _mutate(context: Context, name: str) -> Path | None:
    """Return a copy of the level with a mutant in it; nothing where there is nothing to change."""
    copy = context.workspace / "assess" / "mutants" / name.replace(" ", "-")
    shutil.rmtree(copy, ignore_errors=True)
    level = shutil.copytree(
        context.source, copy / context.stage.package, ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "requirements.lock", copy)
    return level if [path for change in MUTATIONS[name].changes for path in change.apply(level)] else None


def _files(level: Path, name: str) -> list[str]:
    """Return those of a mutation's test files that the level has."""
    return [file for file in MUTATIONS[name].tests if (level / "tests" / file).exists()]


def run_tests(context: Context, level: Path, files: list[str]) -> tuple[bool, str]:
    """Run test files of a level or of a copy of it; return whether all passed, and the last line."""
    (ended,) = run_all([_job(level, files)], context.workspace / "assess")
    return ended.code == 0, _last(ended)


def _job(level: Path, files: list[str], keyword: str = "") -> Job:
    options = ["-q", "-x", "-p", "no:cacheprovider", "--import-mode=importlib", "-c", str(ROOT / "pyproject.toml")]
    options += ["--rootdir", str(level.parent), *(["-k", keyword] if keyword else ["-m", "not slow"])]
    return {"folder": str(level.parent), "arguments": [*options, *(str(level / "tests" / file) for file in files)]}


def _last(run: Run) -> str:
    """Return the line of a test that failed, or else the last one."""
    lines = run.output.strip().splitlines() or ["no output"]
    return ([line for line in lines if line.startswith("FAILED")] or lines)[-1][-160:]
