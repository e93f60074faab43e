"""A release without a pause: the new process comes up beside the old one, on the same port, before that one stops.

Both belong to the process manager, as `blue` and `green` (supervisord.conf); between releases one of them runs.
"""

import socket
import sys

from .processes import ask_version, comes_up, process_id, supervisorctl

PLACES = "blue", "green"


def take_over(commit: str) -> bool:
    """Start the current release in the idle place; once it answers as `commit`, stop the other one, else this one.

    Returns:
        Whether it answers. As soon as it listens it gets a part of the requests; the other one goes on until then.
    """
    before = ask_version()
    live, idle = _places(before.get("process"))
    started = supervisorctl("restart", idle).returncode == 0
    taken = started and comes_up(commit, bool(before.get("model")), process_id(idle))
    supervisorctl("stop", live if taken else idle)
    return taken


def _places(answering: int | None) -> tuple[str, str]:
    """Return the place that answers and the other one; after a release that was killed both may run."""
    blue, green = PLACES
    return (green, blue) if answering and answering == process_id(green) else (blue, green)


def listen(application: str, host: str, port: int) -> None:
    """Become an application (`module:name`), on a port where another process of ours may answer too.

    Nobody is sent here before it is ready. As it stops, the server closes this very socket; one that it is handed
    as a descriptor it only copies, and what it does not close takes connections until the process ends.
    """
    import uvicorn  # where the application is installed

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        uvicorn.Server(uvicorn.Config(application, access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    listen(sys.argv[1], sys.argv[2], int(sys.argv[3]))
