"""Merge what is newer in the template of this project into it: its next level, or a later version of its own level.

Copier renders the template as it was and as it is to be, and merges the difference into the working copy.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml
from copier import run_update
from plumbum import ProcessExecutionError

import stage

ROOT = Path(__file__).resolve().parent
ANSWERS = ROOT / ".copier-answers.yml"
HIGHEST = 4
USAGE = "python climb.py update | LEVEL [FROM]"


class ClimbError(Exception):
    """Nothing can be merged; the message says why, and what would help. Nothing has been changed."""


def climb(level: str, moved_to: str = "") -> str:
    """Merge the next level into the working copy; return what is left to do.

    Args:
        level: the next one.
        moved_to: the address of the template, if it is another by now.

    Raises:
        ClimbError: it cannot be merged.
    """
    now = int(_answers()["level"])
    if now == HIGHEST:
        raise ClimbError(f"this is level {now}, the highest: `make update` merges what is newer in it")
    if level != str(now + 1):
        raise ClimbError(f"this is level {now}, and a project climbs one level at a time: make climb TO={now + 1}")
    # The version stays: a climb shows what the level brings, and nothing else.
    _merge(moved_to, str(_answers()["_commit"]), {"level": now + 1})
    return _left(f"this is level {now + 1} now")


def update(moved_to: str = "") -> str:
    """Merge the newest version of this level into the working copy; return what is left to do.

    Raises:
        ClimbError: it cannot be merged.
    """
    _merge(moved_to, "HEAD", {})
    if not _git("status", "--porcelain"):
        return "nothing is newer"
    return _left("the newest version of this level is in your working copy")


def _merge(moved_to: str, version: str, data: dict[str, Any]) -> None:
    """Merge a version of the template, all of it or nothing."""
    if _git("status", "--porcelain"):
        raise ClimbError("commit your changes first: what comes is shown as a change to the last commit")
    try:
        stage.running()
    except stage.StageError:
        pass
    else:
        raise ClimbError("the stage runs this checkout: end it first, with Ctrl-C where it was started")
    address = moved_to or str(_answers()["_src_path"])
    if subprocess.run(
        ["git", "ls-remote", address, "HEAD"], cwd=ROOT, capture_output=True, check=False
    ).returncode:
        raise ClimbError(f"the template is not at {address}: say where it is, FROM=address of its repository")
    start = _git("rev-parse", "HEAD")
    try:
        if moved_to:
            _move(moved_to)
        run_update(ROOT, data=data, vcs_ref=version, defaults=True, overwrite=True, quiet=not data)
    except BaseException as error:
        _git("reset", "--quiet", "--hard", start)
        _git("clean", "--quiet", "-d", "--force")  # nothing of yours: there were no files that git does not know
        if isinstance(error, Exception):
            why = error.stderr if isinstance(error, ProcessExecutionError) else str(error)
            raise ClimbError(f"Copier could not merge: {why.strip()}\nNothing has been changed.") from error
        raise


def _move(address: str) -> None:
    """Note the new address of the template, in a commit of its own: Copier merges into what is committed."""
    lines = ANSWERS.read_text().splitlines(keepends=True)
    start = next(number for number, line in enumerate(lines) if line.startswith("_src_path:"))
    lines[start] = yaml.safe_dump({"_src_path": address}, width=10_000)
    ANSWERS.write_text("".join(lines))
    if _git("status", "--porcelain"):
        _git("commit", "--quiet", "--no-verify", "--all", "--message", "Note where the template is")


def _left(done: str) -> str:
    conflicts = _git("diff", "--name-only", "--diff-filter=U").splitlines()
    gone = _git("diff", "--name-only", "--diff-filter=D").splitlines()
    said = [f"{done}; nothing is committed yet."]
    if gone:
        said.append("It no longer has, and git still knows: " + ", ".join(gone))
    if conflicts:
        said.append("Both you and the template changed these lines; look for <<<<<<< and keep what is right in")
        said += [f"  {path}" for path in conflicts]
    said.append("Then: git add --all, make check test, git commit, make run, make deploy")
    return "\n".join(said)


def _answers() -> dict[str, Any]:
    return dict(yaml.safe_load(ANSWERS.read_text()))


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClimbError(f"git {arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout.strip()


def main(arguments: list[str]) -> str:
    """Do what the command line says; return what to tell."""
    match arguments:
        case ["update", *moved_to] if len(moved_to) <= 1:
            return update(*moved_to)
        case [level, *moved_to] if len(moved_to) <= 1:
            return climb(level, *moved_to)
        case _:
            raise ClimbError(f"usage: {USAGE}")


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except ClimbError as error:
        sys.exit(str(error))
