"""The development container: the Python that the project asks for, and the ports of all levels."""

import json
import tomllib

from shared.base import levels
from shared.stack.ports import LIVE, described

from .conftest import ROOT

CONTAINER = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())


def test_it_forwards_the_ports_of_every_level_and_no_others() -> None:
    each = {number: described(ROOT / level) | LIVE for number, level in levels().items()}
    ports = [port + number for number, of_level in each.items() for port in of_level.values()]
    assert sorted(CONTAINER["forwardPorts"]) == sorted(ports)


def test_its_python_is_the_oldest_that_the_project_supports() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    version = project["requires-python"].removeprefix(">=")
    assert CONTAINER["image"].startswith(f"python:{version}-")
