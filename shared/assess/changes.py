"""Changes of what serves: an unproven model, a swap under load, another application."""

import hashlib
import json
import os
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import yaml

from ..stage import ROOT, StageError
from .flaws import Outcome
from .scene import CLIENT, Scene

MODEL_SUFFIXES = {".pkl", ".skops", ".onnx", ".joblib"}
CLIENTS = 4
PAUSE = 0.01  # seconds between two requests of a client: some processor is left for the change itself
SECONDS_TO_REFUSE = 5.0
SECONDS_TO_COME_UP = 25.0


@dataclass
class Unproven:
    """A version that passed no gate, made champion behind everybody's back."""

    version: str
    served: bool
    says: str
    after: str  # what serves in the end
    before: str


@dataclass
class Swap:
    """What serves, changed back and forth while clients ask."""

    how: str
    before: str
    between: str  # what served after the first change: an earlier model, where there is a way back
    after: str
    sent: int
    failed: int


@dataclass
class Deployed:
    """A commit, released the way the level's workflow does."""

    command: str
    commit: str
    running: str
    digests: list[str]  # of the content that two builds gave
    said: str


def model_files(scene: Scene) -> dict[str, str]:
    """Return every file that holds a model, by digest."""
    found = [path for path in scene.files() if path.suffix in MODEL_SUFFIXES]
    return {hashlib.sha256(path.read_bytes()).hexdigest(): scene.short(path) for path in found}


def serve_unproven(scene: Scene, flawed: dict[str, Outcome]) -> Unproven:
    """Point the registry at a version that passed nothing, see who follows, and put things right."""
    before = str(scene.version().get("model"))
    packaged = ("local", "bad", "again")  # the first of these would load, if only it were let in
    offered = next((flawed[name].version for name in packaged if name in flawed and flawed[name].version), "")
    champion = scene.aliases().get("champion", "")
    if not offered or not champion:
        served = any(each.served for each in flawed.values())
        return Unproven("", served, "there is no registry: whatever file lies there serves", before, before)
    scene.set_alias("champion", offered)
    try:
        said = _follows(scene, offered)
    finally:
        scene.set_alias("champion", champion)
        restart(scene)
        scene.wait_for("the champion's return", lambda: scene.version().get("model") == before)
    served = names(str(said.get("model")), offered)
    return Unproven(offered, served, str(said.get("problem") or said), str(scene.version().get("model")), before)


def _follows(scene: Scene, version: str) -> dict[str, Any]:
    """Return what the service says once it has seen the new alias, started anew if it must be."""

    def seen() -> bool:
        said = scene.version()
        return bool(said.get("problem")) or names(str(said.get("model")), version)

    try:
        scene.wait_for("the service to see the alias", seen, patience=SECONDS_TO_REFUSE)
    except Exception:
        restart(scene)
        scene.wait_for("the service's return", scene.version)
    return scene.version()


def serve_damaged(scene: Scene, flawed: dict[str, Outcome], day: date) -> str:
    """Damage a model's file where people take it from, let them release it, say what came of it, put it right.

    Nothing is said where a model that cannot load was offered to a delivery already.
    """
    if "broken" in flawed:
        return ""
    path, version = _taken_from(scene, flawed["bad"].version), flawed["bad"].version
    before, whole = str(scene.version().get("model")), path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    try:
        _hand_over(scene, version, day)
        wrong = _what_is_wrong(scene, day)
        fails = f"and fails in service: {wrong[:160]}" if wrong else "and serves"
        return f"half of {scene.short(path)} was released by people, {fails}"
    finally:
        path.write_bytes(whole)
        _hand_over(scene, before.partition("/")[2].partition("@")[0], day)
        scene.wait_for("the service's return", lambda: not _what_is_wrong(scene, day))


def _what_is_wrong(scene: Scene, day: date) -> str:
    """Return why a day is not answered, also once a service that is starting has had its time; empty if it is."""

    def settled() -> str:
        try:
            scene.ask(day)
        except StageError as error:
            return str(error)
        except httpx.HTTPError:
            return ""  # not up yet
        return "answered"

    try:
        said = str(scene.wait_for("an answer", settled, patience=SECONDS_TO_COME_UP))
    except StageError as error:
        return str(error)
    return "" if said == "answered" else said


def _taken_from(scene: Scene, version: str) -> Path:
    """Return the file that a release takes: the registry's, or the oldest of those like the newest."""
    files = [path for path in scene.files() if path.suffix in MODEL_SUFFIXES]
    if version:
        name = scene.versions()[version]["source"].rpartition("/")[2]
        return next(path for path in files if name in path.parts)
    newest = files[-1].read_bytes()
    return next(path for path in files if path.read_bytes() == newest)


def _hand_over(scene: Scene, version: str, day: date) -> None:
    """Do what people do after a model was made."""
    if version:
        scene.command("python", "-m", scene.stage.package, "release", version)
        return
    for step in scene.people.steps:
        if step.command and step.when != "daily" and "jupyter" not in step.command:
            scene.command("bash", "-c", scene.stage.fill(step.command, DAY=str(day)))


def restart(scene: Scene) -> None:
    """Start the serving process anew, where the level has one that is looked after."""
    if (scene.source / "supervisord.conf").exists() and "problem" not in scene.version():
        scene.command("supervisorctl", "-c", f"{scene.stage.package}/supervisord.conf", "restart", "app")
        scene.wait_for("the service's return", scene.version)


def names(model: str, version: str) -> bool:
    """Tell whether a model's name is that of a registered version."""
    return model.partition("/")[2].partition("@")[0] == version


def swap_under_load(scene: Scene, day: date) -> Swap:
    """Change what serves there and back while clients ask; how, is what the level offers for it."""
    if "PORT" not in scene.stage.environment:
        return Swap("there is no service", "", "", "", 0, 0)
    flights = json.loads(scene.year.flights_of(day).head(CLIENTS).to_json(orient="records", date_format="iso"))
    before, stopping = str(scene.version().get("model")), False

    def send(flight: dict[str, Any]) -> tuple[int, int]:
        sent = failed = 0
        client, door = httpx.Client(timeout=10), scene.stage.fill("http://127.0.0.1:${PORT}/predict")
        while not stopping:
            sent += 1
            try:
                failed += not client.post(door, json={"flights": [flight]}).is_success
            except httpx.HTTPError:
                failed += 1
            time.sleep(PAUSE)
        return sent, failed

    with ThreadPoolExecutor(CLIENTS) as pool:
        sending = [pool.submit(send, flight) for flight in flights]
        try:
            how = _change(scene)
            between = str(scene.version().get("model"))
            _change(scene, between, before)
        finally:
            stopping = True
    sent, failed = (sum(each) for each in zip(*(future.result() for future in sending), strict=True))
    return Swap(how, before, between, str(scene.version().get("model")), sent, failed)


def _change(scene: Scene, _now: str = "", back_to: str = "") -> str:
    """Change the serving model with what the level has: rollback, release by version, or people's own steps."""
    rolled = scene.command("python", "-m", scene.stage.package, "rollback")
    if rolled.returncode == 0:
        return "rollback"  # what was rolled back from may be refused the way there again
    serving = back_to.partition("/")[2].partition("@")[0]
    earlier = [number for number in scene.versions() if not names(str(scene.version().get("model")), number)]
    if earlier and (chosen := serving or earlier[0]):
        scene.command("python", "-m", scene.stage.package, "release", chosen)
        scene.wait_for("the service's return", scene.version)
        return f"release {chosen}"
    for step in scene.people.steps:
        if step.role == "software engineer" and step.command:
            scene.stage.run(step.command)
    scene.wait_for("the service's return", scene.version)
    return "people copy and restart"


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


def answers(scene: Scene, flights: list[dict[str, Any]], port: str = "PORT") -> list[dict[str, Any]]:
    """Return the predictions of a service."""
    answer = CLIENT.post(f"http://127.0.0.1:{scene.stage.environment[port]}/predict", json={"flights": flights})
    answer.raise_for_status()
    return list(answer.json()["predictions"])
