"""A release without a pause: the new process comes up beside the old one, on the same port, before that one stops.

Both belong to the process manager, as `blue` and `green` (supervisord.conf); between releases one of them runs.
"""

import os
import socket

from .deploy import comes_up, supervisorctl

PLACES = "blue", "green"


def take_over(commit: str) -> bool:
    """Start the current release in the idle place; once it answers as `commit`, stop the other, else this one.

    Returns:
        Whether it answers. Until it does, the other one goes on as if nothing had happened.
    """
    live, idle = _places()
    started = supervisorctl("restart", idle).returncode == 0
    taken = started and comes_up(commit, _pid(idle))
    supervisorctl("stop", live if taken else idle)
    return taken


def bind(host: str, port: int) -> int:
    """Bind a port beside whoever of ours has it; return the descriptor that the server we become inherits.

    Nobody is sent here before that server listens.
    """
    door = socket.socket()
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    door.bind((host, port))
    os.set_inheritable(door.fileno(), True)
    return door.detach()


def _places() -> tuple[str, str]:
    """Return the place that answers and the idle one; after a release that was killed both may run."""
    blue, green = PLACES
    return (blue, green) if _pid(blue) else (green, blue)


def _pid(place: str) -> int:
    """Return the process in a place, 0 for none."""
    said = supervisorctl("pid", place).stdout.strip()
    return int(said) if said.isdigit() else 0
