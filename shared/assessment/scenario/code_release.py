"""A change of the code, released the way the level's workflow does."""

import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...base import ROOT, StageError
from ...stack.process import last_line, run
from .context import Context


@dataclass
class CodeRelease:
    """A commit, released the way the level's workflow does."""

    command: str
    commit: str
    running: str
    digests: list[str]  # of the content that two builds gave
    output: str
    ended: float = 0.0


def workflow_commands(context: Context) -> list[str]:
    """Return what the level's workflows run on a push, job by job in order of need."""
    commands = []
    for path in sorted((context.source / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text())
        if "push" in workflow.get(True, {}):  # YAML reads `on` as true
            commands += [
                step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step
            ]
    return commands


def release_a_change(context: Context) -> CodeRelease:
    """Commit a change beside the branch, and run the release of the level's workflow on it, like its runner."""
    releases = [line for line in workflow_commands(context) if "deploy" in line]
    if not releases:
        return CodeRelease("", "", "", [], "no workflow releases anything")
    commit = _commit_beside(context)
    command = f"{releases[0].replace('$LEVEL', str(context.stage.number))} COMMIT={commit}"
    digests, output = [], ""
    for _ in range(2):
        done = context.command("bash", "-c", command)
        output = (done.stdout + done.stderr).strip()[-300:]
        release = context.workspace / "app" / "releases" / commit
        digests.append(content_digest(release))
        if release.exists():
            release.rename(release.with_name(f"{commit}-{len(digests)}"))
    running = str(context.version().get("application"))
    context.command("bash", "-c", command)
    return CodeRelease(command, commit, running, digests, output, time.time())


def _commit_beside(context: Context) -> str:
    """Return a commit that changes the level and belongs to no branch."""
    with tempfile.TemporaryDirectory() as folder:
        roles = [f"GIT_{role}_{fact}" for role in ("AUTHOR", "COMMITTER") for fact in ("NAME", "EMAIL")]
        environment = os.environ | dict.fromkeys(roles, "assess@localhost")
        environment["GIT_INDEX_FILE"] = str(Path(folder) / "index")

        def git(*arguments: str, stdin: str = "") -> str:
            done = run(["git", *arguments], ROOT, environment, stdin)
            if done.returncode:
                raise StageError(f"git {arguments[0]} failed: {last_line(done)}")
            return done.stdout.strip()

        name = f"{context.stage.package}/README.md"
        changed = git("hash-object", "-w", "--stdin", stdin=git("show", f"HEAD:{name}") + "\n\nChanged.\n")
        git("read-tree", "HEAD")
        git("update-index", "--cacheinfo", f"100644,{changed},{name}")
        commit = git("commit-tree", git("write-tree"), "-p", "HEAD", "-m", "Change the application")
        return git("rev-parse", "--short=12", commit)


def content_digest(folder: Path) -> str:
    """Return one digest of all names and contents; caches do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest() if folder.exists() else ""
