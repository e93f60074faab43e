"""What the workflow of the application runs after what."""

from pathlib import Path
from typing import Any

import yaml

WORKFLOW = Path(__file__).resolve().parents[2] / ".github" / "workflows" / "application.yml"
JOBS: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text())["jobs"]


def before(job: str) -> set[str]:
    """Return all jobs that have to succeed before one starts."""
    needs = JOBS[job].get("needs", [])
    direct = {needs} if isinstance(needs, str) else set(needs)
    return direct.union(*map(before, direct))


def commands(job: str) -> str:
    return "\n".join(step.get("run", "") for step in JOBS[job]["steps"])


def test_nothing_is_released_before_the_tests_have_passed() -> None:
    for job in JOBS:
        if "make deploy" in commands(job):
            assert any("make test" in commands(each) for each in before(job)), f"{job} waits for no test"


def test_only_the_main_branch_is_released() -> None:
    for job, described in JOBS.items():
        if "make deploy" in commands(job):
            assert described.get("if") == "github.ref == 'refs/heads/main'", f"{job} releases pull requests too"
