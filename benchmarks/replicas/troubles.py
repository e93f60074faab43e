"""What clients notice of releases, of kills, and of a prediction log that is away: 10,000 requests each."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from shared.stack.swarm import SwarmStage

from ..clients import Traffic, asking, missing
from ..swarms import PROMOTE, are_healthy, containers, is_replaced, wait_for
from .log import a_flight
from .releases import other_commit, release, scale, with_challenger

Figures = dict[str, Any]
REPLICAS, REQUESTS = 3, 10_000
SECONDS_AWAY = 30.0


def release_model(stage: SwarmStage, _: Traffic) -> None:
    """Promote the challenger, and roll back."""
    stage.run(f'python -c "{PROMOTE}"')
    stage.run("python -m ${LEVEL} rollback")


def release_application(stage: SwarmStage, _: Traffic) -> None:
    """Release another commit."""
    release(stage, other_commit(stage))


def kill_replica(stage: SwarmStage, _: Traffic) -> None:
    """Kill one, and wait for another."""
    victim = containers(stage, "app")[0]
    os.kill(victim.attrs["State"]["Pid"], signal.SIGKILL)
    wait_for("another replica", partial(is_replaced, stage, victim.id, REPLICAS))


def stop_log(stage: SwarmStage, asked: Traffic) -> Figures:
    """Stop PostgreSQL for a while; return after how many seconds answers came again, once it ran."""
    service = f"{stage.stack}_postgres"
    try:
        stage.engine("docker", "service", "scale", "--detach", f"{service}=0")
        wait_for("the end of PostgreSQL", lambda: not containers(stage, "postgres"))
        time.sleep(SECONDS_AWAY)
    finally:
        stage.engine("docker", "service", "scale", "--detach", f"{service}=1")
    wait_for("the return of PostgreSQL", lambda: bool(containers(stage, "postgres")))
    back = time.monotonic()
    wait_for("an answer", lambda: asked.first_answer_after(back) is not None)
    wait_for("healthy replicas", partial(are_healthy, stage, "app", REPLICAS))
    return {"answers_after_return_seconds": round(asked.first_answer_after(back) or 0.0, 2)}


TROUBLES: dict[str, Callable[[SwarmStage, Traffic], Figures | None]] = {
    "a model is released and rolled back": release_model,
    "a replica is killed": kill_replica,
    "the application is released": release_application,
    "PostgreSQL is away for 30 s": stop_log,
}


def endure(stage: SwarmStage, trouble: str, change: Callable[[SwarmStage, Traffic], Figures | None]) -> Figures:
    """Let clients ask while something changes; return what they noticed, in the form of the json."""
    name = "".join(word[0] for word in trouble.split()) + str(int(time.time()))
    with asking(stage, name, a_flight(), REQUESTS) as asked:
        began = time.monotonic()
        more = change(stage, asked) or {}
        changed = round(time.monotonic() - began, 1)
    lost = len(missing(stage, asked))
    figures = asked.summary() | {"missing": lost, "change_seconds": changed} | more
    return {"troubles": {f"level {stage.number}": {trouble: figures}}}


def measure(stage: SwarmStage) -> Iterator[Figures]:
    """Yield what clients noticed of each trouble."""
    scale(stage, REPLICAS)
    with_challenger(stage)
    for trouble, change in TROUBLES.items():
        yield endure(stage, trouble, change)
