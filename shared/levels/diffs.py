"""What each level adds to the one below, as diffs for people: on the terminal, and committed in docs/diffs."""

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from ..base import ROOT, StageError, git
from .consistency import read_trees
from .manifest import File, Step, number, read_steps

FOLDER = Path("docs", "diffs")
CHANGED_BLOBS = re.compile(r"^(?:\x1b\[[\d;]*m)*index [0-9a-f]+\.\..*\n", re.MULTILINE)
NOTEBOOK = shlex.join([sys.executable, "-I", str(Path(__file__).with_name("notebook_text.py"))])


def steps_between(first: str, last: str, root: Path = ROOT) -> list[Step]:
    """Return the steps that lead from one level to another, named by their numbers.

    Raises:
        StageError: no step starts or ends there.
    """
    steps = read_steps(root)
    starts, ends = [number(step.below) for step in steps], [number(step.above) for step in steps]
    if first in starts and last in ends and starts.index(first) <= ends.index(last):
        return steps[starts.index(first) : ends.index(last) + 1]
    known = ", ".join(f"FROM={number(step.below)} TO={number(step.above)}" for step in steps)
    raise StageError(f"no steps lead from level {first!r} to level {last!r}: choose {known}, or several in a row")


def git_trees(root: Path) -> dict[str, str]:
    """Return each level's git tree, made of the same files that the manifest is held against.

    An index of its own is used: what is staged plays no part, and stays as it is.
    """
    trees = read_trees(root)
    names = "".join(f"{level}/{file}\0" for level, files in trees.items() for file in files)
    with TemporaryDirectory() as folder:
        index = f"{folder}/index"
        git(root, "update-index", "--add", "-z", "--stdin", stdin=names, GIT_INDEX_FILE=index)
        return {
            level: git(root, "write-tree", f"--prefix={level}/", GIT_INDEX_FILE=index).strip() for level in trees
        }


def differences(step: Step, root: Path, colour: bool = False) -> Iterator[tuple[File, str]]:
    """Yield the diff of each file that a step lists, in reading order; a notebook's as plain code.

    The plumbing command is used: it leaves aside how a user likes diffs to look.
    """
    trees = git_trees(root)
    way = [trees.get(step.below, ""), trees.get(step.above, "")]
    paint = f"--color={'always' if colour else 'never'}"
    for file in step.files:
        textconv = f"diff.notebook.textconv={NOTEBOOK}"
        diff = git(root, "-c", textconv, "diff-tree", "-p", "--textconv", paint, *way, "--", file.file)
        yield file, CHANGED_BLOBS.sub("", diff)


def in_words(step: Step, file: File) -> str | None:
    """Return what stands in for a diff that nobody would read."""
    if file.change == "removed":
        return f"Removed; {step.below}/{file.file} still has it."
    if Path(file.file).name == "README.md" or file.file.startswith("tests/"):
        return f"Not shown here: read {step.above}/{file.file} itself."
    return None


def render(step: Step, colour: bool, root: Path = ROOT) -> str:
    """Return the diffs of a step for a terminal, each headed by its why."""
    bold, plain = ("\x1b[1m", "\x1b[m") if colour else ("", "")
    parts = [f"{bold}{step.below} to {step.above}{plain}\n"]
    for file, diff in differences(step, root, colour):
        parts.append(f"{bold}{file.file} ({file.change}): {file.why}{plain}\n{in_words(step, file) or diff}")
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def document(step: Step, root: Path = ROOT) -> str:
    """Return the page about a step, for docs/diffs: the same files give the same page."""
    rows, pages, edited = [], [], 0
    for file, diff in differences(step, root):
        added, removed = count(diff)
        rows.append(f"| `{file.file}` | {file.change} | {added} | {removed} | {file.why} |")
        pages.append(f"## `{file.file}`\n\n{file.why}\n\n{in_words(step, file) or fenced(diff)}\n")
        edited += (added + removed) * (file.change == "changed" and file.file != "README.md")
    first, last = number(step.below), number(step.above)
    same = [f"`{room.room}`" for room in step.rooms if room.change == "same"]
    return "\n".join(
        [
            f"# From level {first} to level {last}\n",
            f"Rooms that are the same, byte for byte: {', '.join(same) or 'none'}.\n",
            f"All that `{step.above}` changes in its copy of `{step.below}`, in reading order; "
            f"written by `make diffs`, on the terminal it is `make diff FROM={first} TO={last}`.\n",
            "| file | change | lines added | lines removed | why |\n|---|---|--:|--:|---|",
            *rows,
            f"\nLines changed in files that exist on both sides, README.md aside: {edited} (added and removed).\n",
            *pages,
        ]
    )


def count(diff: str) -> tuple[int, int]:
    """Return how many lines a diff adds and removes."""
    lines = diff.partition("\n@@")[2].splitlines()
    return sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)


def fenced(diff: str) -> str:
    """Return the diff as a Markdown block, whatever backticks are in it."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", diff)), default=0))
    return f"{fence}diff\n{diff}{fence}"


def documents(root: Path = ROOT) -> dict[Path, str]:
    """Return the page about each step by the path where it belongs."""
    return {
        FOLDER / f"{number(step.below)}-{number(step.above)}.md": document(step, root) for step in read_steps(root)
    }
