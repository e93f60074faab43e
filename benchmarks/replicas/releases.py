"""Have so many replicas, and release an application or a model to them."""

import json
import time
from contextlib import suppress

from shared.base import ROOT, StageError, git
from shared.stack.swarm import SwarmStage
from shared.world.bad_models import deliver_candidate

from ..swarms import in_worker, wait_for

RELEASES = "HEAD", "HEAD~1"  # which take turns

SAID = """
import json, os
from importlib import import_module
replicas = import_module(f"{os.environ['LEVEL']}.operations.replicas")
print(json.dumps([answer.json()["model"] for answer in replicas.ask(os.environ["APPLICATION"], "/version")]))
"""
FOLLOWED = """
import os, sys, time
from importlib import import_module
package = os.environ["LEVEL"]
models, following = (import_module(f"{package}.{name}") for name in ("registry.models", "delivery.following"))
models.set_alias("challenger", None)
began = time.monotonic()
models.set_alias(models.CHAMPION, sys.argv[1])
following.wait_for(os.environ["APPLICATION"], model=sys.argv[1])
print(time.monotonic() - began)
"""


def scale(stage: SwarmStage, count: int) -> None:
    """Have so many replicas, and wait until all serve a model."""
    stage.engine("docker", "service", "scale", f"{stage.stack}_app={count}")
    wait_for(f"{count} replicas with a model", lambda: serve(stage, count))


def serve(stage: SwarmStage, count: int) -> bool:
    """Tell whether so many replicas serve a model."""
    with suppress(StageError):  # one is not there yet
        said = json.loads(in_worker(stage, SAID))
        return len(said) == count and all(said)
    return False


def release(stage: SwarmStage, commit: str) -> float:
    """Release the application of a commit; return the seconds."""
    began = time.monotonic()
    stage.run(f"python -m ${{LEVEL}} deploy {commit}", where="host")
    return round(time.monotonic() - began, 1)


def follow(stage: SwarmStage, version: int) -> float:
    """Make a version the champion; return the seconds until all replicas answer with it."""
    return round(float(in_worker(stage, FOLLOWED, str(version))), 2)


def other_commit(stage: SwarmStage) -> str:
    """Return which of two commits does not serve."""
    newest = git(ROOT, "rev-parse", "--short=12", RELEASES[0]).strip()
    return RELEASES[stage.version()["application"] == newest]


def with_challenger(stage: SwarmStage) -> list[int]:
    """Let a version get as far as a share of the traffic, unless one has; return champion and challenger.

    Raises:
        StageError: its gates refused it.
    """
    if not stage.version()["challenger"]:
        delivery = deliver_candidate(stage, "good")
        if not delivery.delivered:
            raise StageError(f"there is no second model: {delivery.text}")
    version = stage.version()
    return [int(version[arm].partition("/")[2].partition("@")[0]) for arm in ("model", "challenger")]
