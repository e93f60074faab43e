"""The hooks of pre-commit: the commands of `make check`, all of them, and nothing from elsewhere."""

import shlex
import subprocess

import yaml

from .conftest import ROOT

REPOSITORIES = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
HOOKS = [hook for repository in REPOSITORIES for hook in repository["hooks"]]


def words(command: str) -> list[str]:
    """Return the words of a command, in an order that does not depend on how make lists files."""
    return sorted(shlex.split(command))


def test_nothing_is_fetched() -> None:
    assert {repository["repo"] for repository in REPOSITORIES} == {"local"}
    assert {hook["language"] for hook in HOOKS} == {"system"}


def test_the_hooks_are_the_commands_of_the_check() -> None:
    shown = subprocess.run(["make", "-n", "check"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    checked = [words(line) for line in shown.splitlines() if line.startswith(".venv/bin/")]
    assert [words(hook["entry"]) for hook in HOOKS] == checked
    assert not any(hook["pass_filenames"] for hook in HOOKS)  # a command looks at all, as the check does
