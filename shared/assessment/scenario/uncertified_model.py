"""What nothing has proven: a model made champion behind everybody's back, and one whose file is damaged."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from ...base import StageError
from .context import CLIENT, Scene
from .seeded_defects import Outcome

MODEL_SUFFIXES = {".pkl", ".skops", ".onnx", ".joblib"}
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
    served = number_in(str(said.get("model"))) == offered
    return Unproven(offered, served, str(said.get("problem") or said), str(scene.version().get("model")), before)


def _follows(scene: Scene, version: str) -> dict[str, Any]:
    """Return what the service says once it has seen the new alias, started anew if it must be."""

    def seen() -> bool:
        said = scene.version()
        return bool(said.get("problem")) or number_in(str(said.get("model"))) == version

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
        _hand_over(scene, number_in(before), day)
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
        scene.command("supervisorctl", "-c", f"{scene.stage.package}/supervisord.conf", "restart", "released:*")
        scene.wait_for("the service's return", scene.version)


def number_in(model: str) -> str:
    """Return the registered version in a model's name, as in flight-delays/2@9c1f; empty where there is none."""
    return model.partition("/")[2].partition("@")[0]


def answers(scene: Scene, flights: list[dict[str, Any]], port: str = "PORT") -> list[dict[str, Any]]:
    """Return the predictions of a service."""
    answer = CLIENT.post(f"http://127.0.0.1:{scene.stage.environment[port]}/predict", json={"flights": flights})
    answer.raise_for_status()
    return list(answer.json()["predictions"])
