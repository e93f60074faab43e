"""What a stage runs as: processes of this machine, containers, or replicas in a swarm."""

import os

from ..base import StageError
from .docker import ContainerStage
from .stage import Stage
from .swarm import SwarmStage


def open_stage(number: int) -> Stage:
    """Return a stage of a level, as containers if the environment says `ENGINE=docker`, or `ENGINE=swarm`.

    Raises:
        StageError: there is no such level or engine, or no engine answers.
    """
    kinds = {"": Stage, "docker": ContainerStage, "swarm": SwarmStage}
    engine = os.environ.get("ENGINE", "")
    if engine not in kinds:
        raise StageError(f"ENGINE={engine} is not known: leave it out, or say ENGINE=docker or ENGINE=swarm")
    if engine:
        os.umask(0o022)  # the user in the containers must be able to read what is published here
    return kinds[engine](number)
