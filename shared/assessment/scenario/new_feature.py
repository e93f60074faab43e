"""A feature that is banned, somebody who asks to be deleted, and a feature that is added and released."""

import re
import shutil
import subprocess
from dataclasses import dataclass, field
from datetime import date

from ...base import StageError
from ...stack.process import last_line
from ...world.period import FIRST_DAY
from ...world.source import SourceChange, apply_all
from .code_release import commit_beside, release_command
from .context import Context
from .mutants import run_tests
from .uncertified_model import number_in

# Of few values: what overfits to a few flights is rightly stopped by the gate for small groups.
ADDED, NOISE, REAL = "weekend", "noise", "minute_of_day"
COMPUTED = re.compile(rf'\b{REAL}\\?": ')  # where a feature is given a value: in a module, or in a notebook's cell
BANNED = "flight"  # a flight number stands for somebody
EARLY = "2013-02-15"  # little data is enough to see whether a training begins
TESTS = "data/test_features.py"
CHANGES = (
    SourceChange(
        "data/features.py",
        f'        "{REAL}": ',
        f'        "{ADDED}": (day.astype(int) + 3) % 7 > 4,\n'
        f'        "{NOISE}": departure.astype(int) * 7919 % 1009 % 2,\n        "{REAL}": ',
    ),
    SourceChange(f"tests/{TESTS}", f"carrier {REAL}", f"carrier {ADDED} {NOISE} {REAL}"),
    SourceChange(
        f"tests/{TESTS}",
        "def test_seconds_do_not",
        "def test_saturdays_and_sundays_are_weekends(real: pd.DataFrame) -> None:\n"
        '    days = real["scheduled_departure"].dt.dayofweek\n'
        f'    assert (make_features(real)["{ADDED}"] == days.isin([5, 6])).all()\n\n\n'
        "def test_seconds_do_not",
    ),
)


@dataclass
class NewFeature:
    """What became of a banned feature, of somebody who asked to be deleted, and of a feature that was added."""

    places: list[str]  # where a feature of today is computed
    banned: str = ""  # what a training with a banned feature came to
    deleted: str = ""  # what the level said when somebody asked to be deleted; empty: it cannot
    who: tuple[str, int] = ("", 0)  # the carrier and the number of a flight that stands for somebody
    named: tuple[list[str], list[str]] = ([], [])  # databases with a prediction for them, before and after
    touched: list[str] = field(default_factory=list)
    tests: str = ""
    released: str = ""  # the commit, in service
    version: str = ""  # that was trained with the new feature
    message: str = ""  # what the last step said
    by_itself: bool = False  # the version serves, and nobody brought it
    serves: bool = False  # it does, with people's help or without


def add_a_feature(context: Context, day: date) -> NewFeature:
    """Try a banned feature, delete somebody, then add two features in a commit: test, release, train, deliver."""
    found = NewFeature(_places(context))
    found.banned = _train_with_a_banned_feature(context)
    _ask_to_be_deleted(context, found, day)
    if len(found.places) == 1 and found.places[0].endswith(".py"):
        _add(context, found, day)
    return found


def _places(context: Context) -> list[str]:
    """Return the modules and cells in which a feature is computed, a file as often as it does that."""
    paths = [path for path in sorted(context.source.rglob("*")) if path.suffix in (".py", ".ipynb")]
    outside = [path for path in paths if "tests" not in path.parts]
    return [context.short(path) for path in outside for _ in COMPUTED.findall(path.read_text())]


def _train_with_a_banned_feature(context: Context) -> str:
    """Start a training with a feature from a column that stands for somebody; return what it said in the end."""
    package = context.stage.package
    script = (
        f"from {package}.data import features; features.NUMERIC.append({BANNED!r})\n"
        f"from {package}.training.pipeline import start_training\n"
        f"try: print(start_training('manual', None, {EARLY!r}))\n"
        f"except Exception as error: print(error)"
    )
    return _said(context.command("python", "-c", script))


def _ask_to_be_deleted(context: Context, found: NewFeature, day: date) -> None:
    """Let somebody ask whose flights are in the first snapshot and in the log."""
    who = ["carrier", "flight"]
    flights = context.year.flights_of(day).merge(context.year.flights_of(FIRST_DAY)[who], on=who)
    carrier, number = found.who = str(flights["carrier"].iloc[0]), int(flights["flight"].iloc[0])
    before = _databases_naming(context, carrier, number)
    done = context.command("python", "-m", context.stage.package, "forget", f"{carrier} {number}")
    found.deleted = "" if done.returncode else _said(done)
    found.named = before, _databases_naming(context, carrier, number)


def _databases_naming(context: Context, carrier: str, number: int) -> list[str]:
    mark = f"-{carrier}{number}-".encode()
    paths = [path for path in context.files() if ".db" in path.name]
    return [context.short(path) for path in paths if mark in path.read_bytes()]


def _add(context: Context, found: NewFeature, day: date) -> None:
    """Change a copy of the level, run its test, and release, train and deliver what was committed."""
    package, copy = context.stage.package, context.workspace / "assess" / "feature"
    level = shutil.copytree(context.source, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    changed = apply_all(level, *CHANGES)
    found.touched = [str(path.relative_to(level)) for path in changed]
    green, found.tests = run_tests(context, level, [TESTS])
    if not green:
        return
    commit = commit_beside(
        {f"{package}/{path.relative_to(level)}": path.read_text() for path in changed}, "Add a feature"
    )
    done = context.command("bash", "-c", f"{release_command(context)} COMMIT={commit}")
    if done.returncode:
        raise StageError(f"the release failed: {last_line(done)}")
    found.released = str(context.version().get("application"))
    if found.released != commit:
        found.message = f"what was released is not {commit}"
        return
    before, aliases = context.tracking.versions(), context.tracking.aliases()
    same_data = before[aliases["champion"]]["snapshot"]  # so that nothing but the feature is new
    train = ["python", "-m", package, "train", "--snapshot", same_data]
    trained = context.command(*train, cwd=context.workspace / "app" / "releases" / commit)
    found.message = _said(trained)
    found.version = next((number for number in context.tracking.versions() if number not in before), "")
    found.by_itself = found.serves = _serves(context, found.version)
    if found.version and not found.serves:
        context.people.release_what_waits(day)
        context.wait_for("the service's return", context.version)
        found.serves = _serves(context, found.version)
    _take_back(context, aliases)


def _take_back(context: Context, aliases: dict[str, str]) -> None:
    """Release models and code of before, since nothing that looks at the stage afterwards knows the feature."""
    if context.tracking.aliases()["champion"] != aliases["champion"]:
        context.command("python", "-m", context.stage.package, "release", aliases["champion"])
    if "staging" in aliases:
        context.tracking.set_alias("staging", aliases["staging"])
    context.command("bash", "-c", f"{release_command(context)} COMMIT=HEAD")
    context.wait_for("the service's return", context.version)


def _serves(context: Context, version: str) -> bool:
    """Tell whether a version answers all requests or a share of them."""
    return version in [number_in(str(value)) for value in context.version().values()] and bool(version)


def _said(done: "subprocess.CompletedProcess[str]") -> str:
    return (done.stdout.strip().splitlines() or [last_line(done)])[-1]
