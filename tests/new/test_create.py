"""What `make new` makes of a table, and what it answers when it cannot."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shared.base import ROOT, StageError, git
from shared.new.create import make
from shared.new.made_up import made_up
from shared.new.table import MAX_ROWS

from ..conftest import commands_in, copy_project

ROWS, DAYS = 1200, 40
SHOWN = set(commands_in((ROOT / "docs" / "own.md").read_text()))
Change = Callable[[pd.DataFrame], pd.DataFrame]


def table() -> pd.DataFrame:
    """Return a table that a project can be made for."""
    random = np.random.default_rng(0)
    day = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(ROWS) * DAYS // ROWS, unit="D")
    amount = random.normal(size=ROWS).round(3)
    return pd.DataFrame(
        {
            "Row ID": [f"r{number}" for number in range(ROWS)],
            "Seen At": day + pd.to_timedelta(random.integers(0, 1440, ROWS), unit="min"),
            "Plan": random.choice(list("ABC"), ROWS),
            "Amount": amount,
            "Left": (amount + random.logistic(size=ROWS) > 0).astype(int),
        }
    )


def write(folder: Path, change: Change = lambda table: table) -> str:
    path = folder / "own.parquet"
    change(table()).to_parquet(path)
    return str(path)


def command(to: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "shared", "new", str(to), *options]


def run(to: Path, *options: str, root: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    variables = os.environ | environment
    return subprocess.run(
        command(to, *options), cwd=root, env=variables, capture_output=True, text=True, check=False
    )


def refused(folder: Path, level: str = "1", name: str = "churn", to: str = "deep/new", **asked: str) -> str:
    """Ask for a project that cannot be made; return the answer, which has left nothing behind."""
    before = sorted(folder.rglob("*"))
    with pytest.raises(StageError) as error:
        make(folder / to, level, name, **asked)
    assert sorted(folder.rglob("*")) == before
    assert str(error.value).count("\n") <= 1
    return str(error.value)


@pytest.mark.slow
def test_a_refusal_is_a_line_and_no_traceback(tmp_path: Path) -> None:
    done = run(tmp_path, "--name", "churn")
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path} exists already: name a folder that does not, or remove it first\n"
    assert done.stdout == ""


@pytest.mark.parametrize("level", ["0", "5", "x", "-1", "1.5"])
def test_a_level_that_is_none_is_refused(tmp_path: Path, level: str) -> None:
    assert "choose LEVEL=1, 2, 3, 4" in refused(tmp_path, level)


@pytest.mark.parametrize("name", ["my churn", "Churn", "-x", "x-", "1a", "churn_x", ""])
def test_a_name_that_is_no_package_is_refused(tmp_path: Path, name: str) -> None:
    assert "such as NAME=churn" in refused(tmp_path, name=name)


@pytest.mark.parametrize("name", ["class", "email", "numpy", "sklearn", "pywin32", "tests", "score", "containers"])
def test_a_name_that_hides_a_module_is_refused(tmp_path: Path, name: str) -> None:
    assert "choose another NAME" in refused(tmp_path, name=name)


def test_a_folder_of_this_project_is_refused() -> None:
    with pytest.raises(StageError, match=r"lies inside this project: .* TO=\.\./churn"):
        make(ROOT / "shared" / "mine", "1", "churn")


def test_a_folder_with_a_space_is_refused(tmp_path: Path) -> None:
    assert "has a space in it" in refused(tmp_path, to="my project")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written" in refused(tmp_path, to="file/new")


def test_a_dangling_link_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    assert "exists already" in refused(tmp_path, to="link")


@pytest.mark.parametrize(("level", "schedule"), [("1", "prefect"), ("3", "weekly")])
def test_a_schedule_that_the_level_does_not_have_is_refused(tmp_path: Path, level: str, schedule: str) -> None:
    assert "choose SCHEDULE=" in refused(tmp_path, level, schedule=schedule)


@pytest.mark.parametrize(
    ("change", "asked", "message"),
    [
        (lambda table: table, {}, "name the column that is to be predicted: TARGET="),
        (lambda table: table, {"target": "Lost"}, "did you mean Left"),
        (lambda table: table.assign(Left=1), {"target": "Left"}, "Left is 1 in all rows"),
        (lambda table: table.head(0), {"target": "Left"}, "has no rows"),
        (lambda table: table.assign(many=[[1, 2]] * ROWS), {"target": "Left"}, "several values in a cell: many"),
        (
            lambda table: pd.DataFrame(np.zeros((1, 2000)), columns=[f"c{number}" for number in range(2000)]),
            {"target": "Left"},
            "may have 200: leave some out",
        ),
        (
            lambda table: pd.concat([table[["Amount", "Left"]]] * (MAX_ROWS // ROWS + 1)),
            {"target": "Left"},
            "more than 1,000,000 rows: take the newest",
        ),
        (
            lambda table: table.assign(
                **{"Seen At": [f"{at:%Y-%m-%dT%H:%M}:00+0{at.minute % 2}:00" for at in table["Seen At"]]}
            ),
            {"target": "Left"},
            "write all in one zone",
        ),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(
    tmp_path: Path, change: Change, asked: dict[str, str], message: str
) -> None:
    assert message in refused(tmp_path, data=write(tmp_path, change), **asked)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "name a CSV or a Parquet file" in refused(tmp_path, data=str(tmp_path / "none.csv"), target="Left")


def test_what_was_begun_is_removed_when_it_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def render(new: Path, *_: Any) -> None:
        (new / "half").mkdir(parents=True)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shared.new.create._render", render)
    assert "No space left on device" in refused(tmp_path)


@pytest.mark.slow
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path) -> None:
    to = tmp_path / "deep" / "new"
    making = subprocess.Popen(command(to), cwd=ROOT, start_new_session=True, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("deep/.new.*/new/*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(making.pid, signal.SIGINT)
    assert making.wait(timeout=60) == 130
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_without_an_author_the_project_is_its_own(tmp_path: Path) -> None:
    done = run(tmp_path / "new", "--level", "1", "--name", "churn", HOME=str(tmp_path), GIT_CONFIG_NOSYSTEM="1")
    assert done.returncode == 0, done.stderr
    assert git(tmp_path / "new", "log", "--format=%an, %s").strip() == "churn, Start churn"
    assert git(tmp_path / "new", "status", "--porcelain") == ""


@pytest.mark.slow
def test_what_is_not_committed_is_not_in_it_and_that_is_said(tmp_path: Path) -> None:
    copy = copy_project(tmp_path / "copy")
    with (copy / "template/level1/README.md").open("a") as readme:
        readme.write("Not committed.\n")
    done = run(tmp_path / "new", "--level", "1", "--name", "churn", root=copy)
    assert "What is not committed here is not in it." in done.stdout
    assert "Not committed." not in (tmp_path / "new" / "README.md").read_text()
    (line,) = [
        x for x in (tmp_path / "new" / ".copier-answers.yml").read_text().splitlines() if x.startswith("_commit")
    ]
    git(copy, "cat-file", "-e", line.split()[1].strip("'"))  # later versions are merged from there


@pytest.mark.slow
def test_a_project_that_is_no_clone_is_refused(tmp_path: Path) -> None:
    copy = copy_project(tmp_path / "copy")
    (copy / ".git").rename(tmp_path / "git")
    done = run(tmp_path / "new", "--level", "1", "--name", "churn", root=copy)
    assert done.returncode == 1
    assert "clone this project with git" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("shown", sorted(SHOWN))
def test_a_command_of_the_document_makes_a_project(tmp_path: Path, shown: str) -> None:
    copy = copy_project(tmp_path / "copy")
    made_up().to_csv(copy / "customers.csv", index=False)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(
        ["bash", "-c", shown],
        cwd=copy,
        env=plain | {"NAME": "DESKTOP"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    explained = subprocess.run(["make"], cwd=tmp_path / "churn", capture_output=True, text=True, check=True).stdout
    assert "make climb" in explained  # so it is level 3
    named = re.findall(r"`make ([a-z]+)", (ROOT / "docs" / "own.md").read_text())
    assert set(named) - {"new", "update", "release"} <= set(re.findall(r"make ([a-z]+)", explained))


LIMITS: dict[str, tuple[Change, str, str]] = {
    "only-numbers": (lambda table: table.drop(columns="Plan"), "Left", "`Amount` is amount"),
    "only-categories": (
        lambda table: table.drop(columns="Amount").assign(Region=table["Plan"].str.lower()),
        "Left",
        "id: Row ID, which is different in every row",
    ),
    "no-time-no-id-and-capitals": (
        lambda table: (
            table.drop(columns=["Row ID", "Seen At"])
            .assign(Left=table["Left"].map({1: "yes", 0: "no"}))
            .rename(columns={"Plan": "class", "Amount": "TOTAL SCORE (%)", "Left": "HAS LEFT"})
        ),
        "HAS LEFT",
        "`TOTAL SCORE (%)` is total_score",
    ),
    "dates-only-and-a-number-to-predict": (
        lambda table: table.assign(
            **{"Seen At": table["Seen At"].dt.date}, Left=table["Amount"] * 10 + table["Left"]
        ),
        "Left",
        "target: Left is a number",
    ),
}


# The one with most of what can be odd; the others take minutes more.
ODDEST = "no-time-no-id-and-capitals"


@pytest.mark.slow
@pytest.mark.parametrize(
    "limit", [ODDEST, *(pytest.param(name, marks=pytest.mark.full) for name in LIMITS if name != ODDEST)]
)
def test_a_table_at_the_limits_makes_a_project_whose_tests_pass(tmp_path: Path, limit: str) -> None:
    change, target, note = LIMITS[limit]
    new = tmp_path / "new"
    options = ["--level", "3", "--name", "churn", "--data", write(tmp_path, change), "--target", target]
    done = run(new, *options)
    assert done.returncode == 0, done.stderr
    assert note in done.stdout
    rooms = [f"churn/tests/{room}" for room in ("config", "data", "training", "serving")]
    for tool in (["pytest", "-q", "-m", "not slow", *rooms], ["ruff", "check", "--quiet", "."]):
        done = subprocess.run([sys.executable, "-m", *tool], cwd=new, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:]
