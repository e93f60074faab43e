"""The ports of a stage: chosen, and looked at all at once, before anything is installed or emptied."""

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from ..base import StageError

LIVE = {"LIVE_PORT": 8300}  # the page of any running stage, beside what its stage.yaml describes
OFFSET = "OFFSET"  # in the environment: how far all ports of a stage are moved
STEP, TRIES = 1000, 20
HIGHEST = 65_535


def described(package: Path) -> dict[str, int]:
    """Return the ports in a level's stage.yaml, read without a package that reads YAML."""
    block = re.search(r"^ports:\n((?:  \w+: \d+\n)+)", (package / "stage.yaml").read_text(), re.MULTILINE)
    pairs = re.findall(r"(\w+): (\d+)", block[1]) if block else []
    return {name: int(port) for name, port in pairs}


def choose(described: Mapping[str, int], number: int, offset: int | None = None) -> dict[str, int]:
    """Return the ports of a stage by name.

    Two levels run side by side, since each adds its number; OFFSET moves all ports, and the environment may name
    each.

    Raises:
        StageError: what the environment says is no port.
    """
    moved = _number(OFFSET, os.environ.get(OFFSET, "0")) if offset is None else offset
    ports = {
        name: _number(name, os.environ.get(name) or str(port + number + moved)) for name, port in described.items()
    }
    if wrong := {name: port for name, port in ports.items() if not 0 < port <= HIGHEST}:
        why = f" with {OFFSET}={moved}" if moved else ""
        raise StageError(f"{_listed(wrong)}{why}: no port, they go from 1 to {HIGHEST}")
    return ports


def check_free(ports: Mapping[str, int], described: Mapping[str, int], number: int) -> None:
    """Look at all ports.

    Raises:
        StageError: some are taken; it says which, and what would work.
    """
    if taken := {name: port for name, port in ports.items() if not _is_free(port)}:
        raise StageError(
            f"taken: {_listed(taken)}; end what uses {'them' if len(taken) > 1 else 'it'}, "
            f"or move all ports of this stage: `{_works(described, number)}`"
        )


def _works(described: Mapping[str, int], number: int) -> str:
    for offset in range(STEP, STEP * (TRIES + 1), STEP):
        if all(map(_is_free, (port + number + offset for port in described.values()))):
            return f"make level{number} {OFFSET}={offset}"
    return f"make level{number} {OFFSET}=..."


def _listed(ports: Mapping[str, int]) -> str:
    return ", ".join(f"port {port} ({name})" for name, port in ports.items())


def _number(name: str, value: str) -> int:
    if not re.fullmatch(r"-?\d+", value):
        raise StageError(f"{name}={value} is no number: say {name}={STEP}, for example")
    return int(value)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
