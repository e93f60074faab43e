"""Another application, released the way the level's workflow does."""

import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import yaml

from ...base import ROOT
from .context import Scene


@dataclass
class Deployed:
    """A commit, released the way the level's workflow does."""

    command: str
    commit: str
    running: str
    digests: list[str]  # of the content that two builds gave
    said: str


def workflow_commands(scene: Scene) -> list[str]:
    """Return what the level's workflows run on a push, job by job in order of need."""
    commands = []
    for path in sorted((scene.source / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text())
        if "push" in workflow.get(True, {}):  # YAML reads `on` as true
            commands += [
                step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step
            ]
    return commands


def deploy_a_change(scene: Scene) -> Deployed:
    """Commit a change beside the branch, and run the release of the level's workflow on it, like its runner."""
    line = next((each for each in workflow_commands(scene) if "deploy" in each), "")
    if not line:
        return Deployed("", "", "", [], "no workflow releases anything")
    commit = _commit_beside(scene)
    command = f"{line.replace('$LEVEL', str(scene.stage.number))} COMMIT={commit}"
    digests, said = [], ""
    for _ in range(2):
        done = scene.command("bash", "-c", command)
        said = (done.stdout + done.stderr).strip()[-300:]
        release = scene.workspace / "app" / "releases" / commit
        digests.append(_digest(release))
        if release.exists():
            release.rename(release.with_name(f"{commit}-{len(digests)}"))
    running = str(scene.version().get("application"))
    scene.command("bash", "-c", command)
    return Deployed(command, commit, running, digests, said)


def _commit_beside(scene: Scene) -> str:
    """Return a commit that changes the level and belongs to no branch."""
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        who = {
            f"GIT_{role}_{what}": "assess@localhost"
            for role in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }

        def git(*arguments: str, stdin: str = "") -> str:
            done = subprocess.run(
                ["git", "-C", str(ROOT), *arguments],
                input=stdin, env=os.environ | index | who, capture_output=True, text=True, check=True,
            )  # fmt: skip
            return done.stdout.strip()

        name = f"{scene.stage.package}/README.md"
        changed = git("hash-object", "-w", "--stdin", stdin=git("show", f"HEAD:{name}") + "\n\nChanged.\n")
        git("read-tree", "HEAD")
        git("update-index", "--cacheinfo", f"100644,{changed},{name}")
        commit = git("commit-tree", git("write-tree"), "-p", "HEAD", "-m", "Change the application")
        return git("rev-parse", "--short=12", commit)


def _digest(folder: Path) -> str:
    """Return one digest of all names and contents; caches do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest() if folder.exists() else ""
