"""The copies are honest: what is not listed is the same, and the committed diffs are those of the files."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from shared.base import StageError
from shared.levels import consistency, diffs, pages
from shared.levels.manifest import MANIFEST

from ..conftest import ROOT

ARROWS = """
arrows:
  level: {shop: [store], store: []}
"""
STEPS = """
steps:
- from: level0_desk
  to: level1_shop
  rooms:
  - room: top
    change: changed
    files:
    - {file: README.md, change: added, why: explains what is new}
    - {file: new.py, change: added, why: something new}
    - {file: book.ipynb, change: changed, why: other numbers}
    - {file: tune.py, change: changed, why: tuned once}
  - room: store
    change: added
    files:
    - {file: store/shelf.py, why: keeps things}
    - {file: tests/store/test_shelf.py, why: things are kept}
- from: level1_shop
  to: level2_plant
  rooms:
  - room: store
    change: same
  - room: top
    change: changed
    files:
    - {file: README.md, change: changed, why: explains what is new}
    - {file: grow.py, change: changed, why: grows}
    - {file: book.ipynb, change: removed, why: nobody reads it}
"""


def notebook(source: str) -> str:
    cell = {"cell_type": "code", "metadata": {}, "outputs": [{"text": source}], "source": [source]}
    return json.dumps({"cells": [cell, {"cell_type": "markdown", "source": ["About"]}]}, indent=1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make a small repository with three levels, of which nothing is staged or committed."""
    files = {
        ".gitignore": "__pycache__/\n",
        "docs/levels.yaml": ARROWS + STEPS,
        "level0_desk/keep.py": "kept = 1\n",
        "level0_desk/grow.py": "grown = 1\n",
        "level0_desk/tune.py": "tuned = 1\n",
        "level0_desk/book.ipynb": notebook("print(1)"),
        "level1_shop/README.md": "# Level 1\n\nThis is level1_shop.\n",
        "level1_shop/new.py": "from .keep import kept\n",
        "level1_shop/tune.py": "tuned = 2\n",
        "level1_shop/store/__init__.py": "",
        "level1_shop/store/shelf.py": "kept = []\n",
        "level1_shop/tests/store/test_shelf.py": "from ...store import shelf\n",
        "level1_shop/book.ipynb": notebook("print(2)"),
        "level2_plant/README.md": "# Level 2\n",
        "level2_plant/grow.py": "grown = 2\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    shutil.copy(ROOT / ".gitattributes", tmp_path)
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    consistency.sync("0", tmp_path)
    consistency.sync("1", tmp_path)
    return tmp_path


def test_every_difference_between_levels_is_listed() -> None:
    assert consistency.problems() == []


def test_the_committed_diffs_are_fresh() -> None:
    assert pages.stale() == []


def test_honest_copies_give_no_problems(root: Path) -> None:
    assert consistency.problems(root) == []


def test_what_git_ignores_is_no_file_of_a_level(root: Path) -> None:
    (root / "level1_shop/__pycache__").mkdir()
    (root / "level1_shop/__pycache__/keep.pyc").write_text("junk")
    assert consistency.problems(root) == []


def edit(file: str, text: str) -> Callable[[Path], None]:
    def corrupt(root: Path) -> None:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)

    return corrupt


def lists(change: str, file: str = "keep.py") -> Callable[[Path], None]:
    """List one more file on the way to the last level."""
    return edit(MANIFEST, f"{ARROWS}{STEPS}    - {{file: {file}, change: {change}, why: for a test}}\n")


DISHONEST = {
    "changed, not listed": (
        edit("level2_plant/keep.py", "kept = 2\n"),
        "level2_plant/keep.py was changed: run `make sync FROM=1`, or list it in docs/levels.yaml",
    ),
    "added, not listed": (
        edit("level2_plant/more.py", "more = 1\n"),
        "level2_plant/more.py was added: list it in docs/levels.yaml, or delete it",
    ),
    "removed, not listed": (
        lambda root: (root / "level2_plant/keep.py").unlink(),
        "level2_plant/keep.py was removed: run `make sync FROM=1`, or list it in docs/levels.yaml",
    ),
    "listed as changed, is the same": (
        lists("changed"),
        "docs/levels.yaml lists level2_plant/keep.py as changed, but it was not changed: correct the list",
    ),
    "listed as added, is missing": (
        lists("added", "more.py"),
        "docs/levels.yaml lists level2_plant/more.py as added, but it was not added: correct the list",
    ),
    "listed as removed, is there": (
        lists("removed"),
        "docs/levels.yaml lists level2_plant/keep.py as removed, but it was not removed: correct the list",
    ),
    "listed as added, was changed": (
        lists("added", "grow.py"),
        "docs/levels.yaml lists level2_plant/grow.py as added, but it was changed: correct the list",
    ),
    "listed twice": (
        lists("changed", "grow.py"),
        "docs/levels.yaml lists a file twice on the way to level2_plant: list each once",
    ),
    "a room that is no longer the same": (
        edit("level2_plant/store/shelf.py", "kept = {}\n"),
        "docs/levels.yaml lists level2_plant/store as same, but it is changed: correct the list, "
        "or run `make sync FROM=1`",
    ),
    "a file of a room that is the same": (
        edit("level2_plant/store/shelf.py", "kept = {}\n"),
        "level2_plant/store/shelf.py was changed: run `make sync FROM=1`, or list it in docs/levels.yaml",
    ),
    "the tests of a room that is the same": (
        edit("level2_plant/tests/store/test_shelf.py", "\n"),
        "docs/levels.yaml lists level2_plant/store as same, but it is changed: correct the list, "
        "or run `make sync FROM=1`",
    ),
    "a room nobody speaks of": (
        edit("level2_plant/shop/till.py", "money = 0\n"),
        "docs/levels.yaml does not list `shop` on the way to level2_plant: add it",
    ),
    "a level without a step": (
        edit("level3_town/keep.py", "kept = 1\n"),
        "docs/levels.yaml must have one step for each level and the next, in order: level0_desk to level1_shop, "
        "level1_shop to level2_plant, level2_plant to level3_town",
    ),
    "a level's number in code": (
        edit("level2_plant/grow.py", "grown = 2\nfolder = 'level2_plant'\n"),
        "level2_plant/grow.py, line 2, has 'level2', but no level knows its number: take it out",
    ),
    "a level's number in a Dockerfile": (
        edit("level2_plant/Dockerfile", "ENV LEVEL=2\n"),
        "level2_plant/Dockerfile, line 1, has 'LEVEL=2', but no level knows its number: take it out",
    ),
    "an import of the world": (
        edit("level2_plant/grow.py", "from shared.stack.stage import Stage\n"),
        "level2_plant/grow.py, line 1, imports by an absolute name: import relatively, and only inside the level",
    ),
    "an import of another level": (
        edit("level2_plant/grow.py", "import level1_shop.keep\n"),
        "level2_plant/grow.py, line 1, imports by an absolute name: import relatively, and only inside the level",
    ),
}


@pytest.mark.parametrize("case", DISHONEST)
def test_a_dishonest_copy_is_named_with_what_to_do(root: Path, case: str) -> None:
    corrupt, expected = DISHONEST[case]
    corrupt(root)
    assert expected in consistency.problems(root)


def test_words_that_only_look_like_a_level_are_left_alone(root: Path) -> None:
    code = "import logging\nimport shared_memory\nlogging.basicConfig(level=10)\nsublevel2 = 9\n"
    edit("level2_plant/grow.py", code)(root)
    assert consistency.problems(root) == []


def test_an_unfinished_manifest_is_an_error_that_says_what_is_needed(root: Path) -> None:
    edit(
        MANIFEST,
        f"{ARROWS}steps: [{{from: a, to: b, rooms: [{{room: top, change: same, files: [{{file: c}}]}}]}}]\n",
    )(root)
    with pytest.raises(StageError, match="each of the files has `file`, `change`, `why` and `chapter`"):
        consistency.problems(root)


def test_sync_carries_a_fix_upward_until_a_file_is_listed(root: Path) -> None:
    for name in ("keep.py", "grow.py", "tune.py", "book.ipynb"):
        edit(f"level0_desk/{name}", "fixed = 1\n")(root)
    (root / "level0_desk/keep.py").chmod(0o755)
    written = consistency.sync("0", root)
    assert set(map(str, written)) == {"level1_shop/keep.py", "level2_plant/keep.py", "level1_shop/grow.py"}
    assert (root / "level2_plant/keep.py").read_text() == "fixed = 1\n"
    assert (root / "level2_plant/keep.py").stat().st_mode & 0o111
    assert (root / "level2_plant/grow.py").read_text() == "grown = 2\n"
    assert (root / "level2_plant/tune.py").read_text() == "tuned = 2\n"
    assert consistency.sync("0", root) == []
    assert not list(root.rglob("*.part"))


def test_the_diff_shows_what_is_on_disk_in_the_order_of_the_list(root: Path) -> None:
    edit("level1_shop/new.py", "new = 1\n")(root)
    text = diffs.render(diffs.steps_between("0", "1", root)[0], colour=False, root=root)
    readme, new, book = (
        text.index(head) for head in ("README.md (added)", "new.py (added)", "book.ipynb (changed)")
    )
    assert readme < new < book
    assert "new.py (added): something new\n" in text
    assert "+new = 1\n" in text
    assert "This is" not in text
    assert "Not shown here: read level1_shop/README.md itself." in text
    assert "\nindex " not in text
    assert "\x1b" not in text


def test_a_notebook_is_compared_as_code(root: Path) -> None:
    text = diffs.render(diffs.steps_between("0", "1", root)[0], colour=False, root=root)
    assert "\n # %%\n-print(1)\n+print(2)\n \n # %% [markdown]\n About\n" in text
    assert "cell_type" not in text


def test_a_removed_file_takes_one_line(root: Path) -> None:
    text = diffs.render(diffs.steps_between("1", "2", root)[0], colour=False, root=root)
    assert text.endswith("book.ipynb (removed): nobody reads it\nRemoved; level1_shop/book.ipynb still has it.\n")


def test_a_terminal_gets_colours_and_no_hashes_either(root: Path) -> None:
    text = diffs.render(diffs.steps_between("1", "2", root)[0], colour=True, root=root)
    assert "\x1b[32m" in text
    assert "index " not in text


def test_steps_in_a_row_make_a_chain(root: Path) -> None:
    assert [step.above for step in diffs.steps_between("0", "2", root)] == ["level1_shop", "level2_plant"]


@pytest.mark.parametrize(("first", "last"), [("1", "3"), ("2", "1"), ("1", "1"), ("2013-03-01", "")])
def test_an_unknown_step_is_an_error_that_names_the_known_ones(root: Path, first: str, last: str) -> None:
    with pytest.raises(StageError, match="choose FROM=0 TO=1, FROM=1 TO=2, or several in a row"):
        diffs.steps_between(first, last, root)


@pytest.mark.parametrize("level", ["2", "7", "2013-03-01"])
def test_nothing_is_carried_upward_from_an_unknown_level(root: Path, level: str) -> None:
    with pytest.raises(StageError, match=f"from level '{level}': choose FROM among 0, 1"):
        consistency.sync(level, root)


def test_the_pages_go_stale_with_the_files(root: Path) -> None:
    old = ["docs/diffs/0-1.md", "docs/diffs/1-2.md"]
    assert [problem.split()[0] for problem in pages.stale(root)] == old
    assert list(map(str, pages.write(root))) == old
    assert pages.stale(root) == []
    edit("level2_plant/grow.py", "grown = 3\n")(root)
    assert pages.stale(root) == ["docs/diffs/1-2.md is not what the levels give today: run `make diffs`"]


def test_a_page_counts_lines_and_survives_backticks(root: Path) -> None:
    edit("level2_plant/grow.py", '"""\n```\n"""\n')(root)
    page = diffs.documents(root)[Path("docs/diffs/1-2.md")]
    assert "| `grow.py` | changed | 3 | 1 | grows |" in page
    assert "| `book.ipynb` | removed | 0 | 5 | nobody reads it |" in page
    assert "README.md aside: 4 (added and removed)" in page
    assert "\n````diff\n" in page


@pytest.mark.parametrize("arguments", [("diff", "1", "9"), ("sync", "9"), ("diff",)])
def test_the_commands_say_what_is_wrong_without_a_traceback(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "shared", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "choose FROM" in done.stderr
    assert len(done.stderr.splitlines()) == 1
