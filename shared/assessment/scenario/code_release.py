"""A change of the code, released the way the level's workflow does."""

import hashlib
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...base import ROOT, StageError, git
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


def release_command(context: Context) -> str:
    """Return how the level's workflow releases, without the commit; empty where none does."""
    releases = [line for line in workflow_commands(context) if "deploy" in line]
    return releases[0].replace("$LEVEL", str(context.stage.number)) if releases else ""


def release_a_change(context: Context) -> CodeRelease:
    """Commit a change beside the branch, and run the release of the level's workflow on it, like its runner."""
    release = release_command(context)
    if not release:
        return CodeRelease("", "", "", [], "no workflow releases anything")
    name = f"{context.stage.package}/README.md"
    readme = git(ROOT, "show", f"HEAD:{name}").strip()
    commit = commit_beside({name: f"{readme}\n\nChanged.\n"}, "Change the application")
    command = f"{release} COMMIT={commit}"
    digests, output = [], ""
    for _ in range(2):
        done = context.command("bash", "-c", command)
        output = (done.stdout + done.stderr).strip()[-300:]
        unpacked = context.workspace / "app" / "releases" / commit
        digests.append(content_digest(unpacked))
        if unpacked.exists():
            unpacked.rename(unpacked.with_name(f"{commit}-{len(digests)}"))
    running = str(context.version().get("application"))
    context.command("bash", "-c", command)
    return CodeRelease(command, commit, running, digests, output, time.time())


def commit_beside(texts: dict[str, str], subject: str) -> str:
    """Return a commit that changes files of the project, and belongs to no branch.

    Args:
        texts: what the files are to hold, by path.
        subject: of the commit.
    """
    with tempfile.TemporaryDirectory() as folder:
        roles = [f"GIT_{role}_{fact}" for role in ("AUTHOR", "COMMITTER") for fact in ("NAME", "EMAIL")]
        environment = os.environ | dict.fromkeys(roles, "assess@localhost")
        environment["GIT_INDEX_FILE"] = str(Path(folder) / "index")

        def in_index(*arguments: str, stdin: str = "") -> str:
            done = run(["git", *arguments], ROOT, environment, stdin)
            if done.returncode:
                raise StageError(f"git {arguments[0]} failed: {last_line(done)}")
            return done.stdout.strip()

        in_index("read-tree", "HEAD")
        for name, text in texts.items():
            changed = in_index("hash-object", "-w", "--stdin", stdin=text)
            in_index("update-index", "--cacheinfo", f"100644,{changed},{name}")
        commit = in_index("commit-tree", in_index("write-tree"), "-p", "HEAD", "-m", subject)
        return in_index("rev-parse", "--short=12", commit)


def content_digest(folder: Path) -> str:
    """Return one digest of all names and contents; caches do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest() if folder.exists() else ""
