"""Uncertified models: one made champion past all commands of the level, and one whose file is damaged."""

import hashlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from ...base import StageError
from .context import CLIENT, Context
from .seeded_defects import Outcome

MODEL_SUFFIXES = {".pkl", ".skops", ".onnx", ".joblib"}
SECONDS_TO_REFUSE = 5.0
SECONDS_TO_COME_UP = 25.0


@dataclass
class Uncertified:
    """A version that passed no gate, made champion past all commands of the level."""

    version: str
    served: bool
    problem: str  # what the service says about it
    after: str  # what serves in the end
    before: str


def model_files(context: Context) -> dict[str, str]:
    """Return every file that holds a model, by digest."""
    files = [path for path in context.files() if path.suffix in MODEL_SUFFIXES]
    return {hashlib.sha256(path.read_bytes()).hexdigest(): context.short(path) for path in files}


def serve_uncertified(context: Context, defects: dict[str, Outcome]) -> Uncertified:
    """Point the registry at a version that passed nothing, see who follows, and put things right."""
    before = str(context.version().get("model"))
    packaged = ("local", "bad", "again")  # the first of these would load, if only it were let in
    versions = [defects[name].version for name in packaged if name in defects]
    offered = next(filter(None, versions), "")
    champion = context.tracking.aliases().get("champion", "")
    if not offered or not champion:
        served = any(outcome.served for outcome in defects.values())
        return Uncertified("", served, "there is no registry: whatever file lies there serves", before, before)
    context.tracking.set_alias("champion", offered)
    try:
        version = _follows(context, offered)
    finally:
        context.tracking.set_alias("champion", champion)
        restart(context)
        context.wait_for("the champion's return", lambda: context.version().get("model") == before)
    served = number_in(str(version.get("model"))) == offered
    problem = str(version.get("problem") or version)
    return Uncertified(offered, served, problem, str(context.version().get("model")), before)


def _follows(context: Context, version: str) -> dict[str, Any]:
    """Return what the service says once it has seen the new alias, started anew if it must be."""

    def is_seen() -> bool:
        answer = context.version()
        return bool(answer.get("problem")) or number_in(str(answer.get("model"))) == version

    try:
        context.wait_for("the service to see the alias", is_seen, patience=SECONDS_TO_REFUSE)
    except Exception:
        restart(context)
        context.wait_for("the service's return", context.version)
    return context.version()


def serve_damaged(context: Context, defects: dict[str, Outcome], day: date) -> str:
    """Damage a model's file where people take it from, let them release it, return what came of it, put it right.

    It is not done where a model that cannot load was offered to a delivery already.
    """
    if "broken" in defects:
        return ""
    path, version = _taken_from(context, defects["bad"].version), defects["bad"].version
    before, whole = str(context.version().get("model")), path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    try:
        _hand_over(context, version, day)
        failure = _failure(context, day)
        fails = f"and fails in service: {failure[:160]}" if failure else "and serves"
        return f"half of {context.short(path)} was released by people, {fails}"
    finally:
        path.write_bytes(whole)
        _hand_over(context, number_in(before), day)
        context.wait_for("the service's return", lambda: not _failure(context, day))


def _failure(context: Context, day: date) -> str:
    """Return why a day is not answered, also once a service that is starting has had its time; empty if it is."""

    def settled() -> str:
        try:
            context.ask(day)
        except StageError as error:
            return str(error)
        except httpx.HTTPError:
            return ""  # not up yet
        return "answered"

    try:
        result = str(context.wait_for("an answer", settled, patience=SECONDS_TO_COME_UP))
    except StageError as error:
        return str(error)
    return "" if result == "answered" else result


def _taken_from(context: Context, version: str) -> Path:
    """Return the file that a release takes: the registry's, or the oldest of those like the newest."""
    files = [path for path in context.files() if path.suffix in MODEL_SUFFIXES]
    if version:
        name = context.tracking.versions()[version]["source"].rpartition("/")[2]
        return next(path for path in files if name in path.parts)
    newest = files[-1].read_bytes()
    return next(path for path in files if path.read_bytes() == newest)


def _hand_over(context: Context, version: str, day: date) -> None:
    """Do what people do after a model was made."""
    if version:
        context.command("python", "-m", context.stage.package, "release", version)
        return
    for step in context.people.steps:
        if step.command and step.when != "daily" and "jupyter" not in step.command:
            context.command("bash", "-c", context.stage.fill(step.command, DAY=str(day)))


def restart(context: Context) -> None:
    """Start the serving process anew, where the level has one that is looked after."""
    if (context.source / "supervisord.conf").exists() and "problem" not in context.version():
        context.command(
            "supervisorctl", "-c", f"{context.stage.package}/supervisord.conf", "restart", "released:*"
        )
        context.wait_for("the service's return", context.version)


def number_in(model: str) -> str:
    """Return the registered version in a model's name, as in flight-delays/2@9c1f; empty where there is none."""
    return model.partition("/")[2].partition("@")[0]


def answers(context: Context, flights: list[dict[str, Any]], port: str = "PORT") -> list[dict[str, Any]]:
    """Return the predictions of a service."""
    answer = CLIENT.post(f"http://127.0.0.1:{context.stage.environment[port]}/predict", json={"flights": flights})
    answer.raise_for_status()
    return list(answer.json()["predictions"])
