"""A runner for a level's workflows in which `make` only writes down what it was asked, or fails."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...stack.process import run

# Stands in for `make`: it writes down what it was asked, and fails for what is to fail.
MAKE = r"""#!/bin/bash
echo "$*" >> "$ASKED"
[[ ! "$*" =~ $FAILS ]]
"""
NOTHING = "^$"


@dataclass(frozen=True)
class Workflow:
    """A workflow that a push starts."""

    path: Path
    jobs: dict[str, Any]

    def approved(self, command: str) -> bool:
        """Tell whether every job with a command runs in an environment, for which approval can be asked."""
        asking = [job for job in self.jobs.values() if command in _commands(job)]
        return bool(asking) and all("environment" in job for job in asking)

    def run(self, folder: Path, level: int, fails: str = NOTHING) -> list[str]:
        """Run all jobs, each after those it needs and only if they ended well; return what `make` was asked.

        Args:
            folder: an empty one, to work in.
            level: of the variable that the workflows read.
            fails: a pattern; `make` fails for what it finds in its arguments.
        """
        folder.mkdir(parents=True)
        (folder / "make").write_text(MAKE)
        (folder / "make").chmod(0o755)
        environment = os.environ | {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "LEVEL": str(level)}
        environment |= {"ASKED": str(folder / "asked"), "FAILS": fails}
        ended: dict[str, bool] = {}
        while waiting := {name: job for name, job in self.jobs.items() if name not in ended}:
            ready = {name: job for name, job in waiting.items() if _needs(job) <= ended.keys()}
            if not ready:  # they wait for each other, or for one that is not there
                break
            for name, job in ready.items():
                started = all(ended[needed] for needed in _needs(job))
                script = ["bash", "-e", "-c", _commands(job)]
                ended[name] = started and run(script, folder, environment).returncode == 0
        asked = folder / "asked"
        return asked.read_text().splitlines() if asked.exists() else []


def workflows_on_push(level: Path) -> list[Workflow]:
    """Return the workflows of a level that a push starts."""
    found = []
    for path in sorted((level / ".github" / "workflows").glob("*.yml")):
        content = yaml.safe_load(path.read_text())
        if "push" in content.get(True, {}):  # YAML reads `on` as true
            found.append(Workflow(path, content["jobs"]))
    return found


def _needs(job: dict[str, Any]) -> set[str]:
    needs = job.get("needs", [])
    return {needs} if isinstance(needs, str) else set(needs)


def _commands(job: dict[str, Any]) -> str:
    return "\n".join(step["run"] for step in job["steps"] if "run" in step)
