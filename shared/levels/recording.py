"""Recordings: the commands that lessons show, run in a stage of their level, and what they printed.

A line of the prose like `{run 2 make models LEVEL=2}` is such a command. All commands of a level are run in
reading order in one stage, which `make levelN DAYS=2` has brought up.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import yaml

from ..base import ROOT, StageError, levels, write_text
from .manifest import PROSE

OUTPUTS = PROSE / "outputs"
RUN = re.compile(r"^\{run (\d) (.+)\}$", re.MULTILINE)
DAYS = 2
SECONDS = 300.0  # a command may take
READY = "Serving until Ctrl-C"
STARTING = ": starting in "


def start_of(level: int) -> str:
    """Return the command that brings up the stage in which the others are run."""
    return f"make level{level} DAYS={DAYS}"


def commands_of(level: int, root: Path = ROOT) -> list[str]:
    """Return the commands that the lessons run at a level, in reading order."""
    prose = [path.read_text() for path in sorted((root / PROSE).glob("*/*.md"))]
    found = [(int(run[1]), run[2]) for text in prose for run in RUN.finditer(text)]
    return list(dict.fromkeys(command for number, command in found if number == level))


def output_of(level: int, command: str, root: Path = ROOT) -> str:
    """Return what a command printed when it was recorded.

    Raises:
        KeyError: it has not been recorded.
    """
    return _recorded(root / OUTPUTS / f"level{level}.yaml")[command]


@cache
def _recorded(path: Path) -> dict[str, str]:
    entries = yaml.safe_load(path.read_text()) if path.exists() else []
    return {entry["command"]: entry["prints"] for entry in entries}


def run_all(level: int, checkout: Path = ROOT) -> dict[str, str]:
    """Run the commands of a level in its stage, which is up in a checkout; return what each printed."""
    usual = moved_ports(level, checkout)
    return {command: _run(command, checkout, usual) for command in commands_of(level, checkout)}


def moved_ports(level: int, checkout: Path) -> dict[str, str]:
    """Return the port of a stage in a checkout that is in the place of each usual one."""
    described = yaml.safe_load((checkout / levels()[level] / "stage.yaml").read_text())["ports"]
    environment = (checkout / ".stage" / f"level{level}" / "env").read_text()
    moved = dict(re.findall(r"^export (\w*PORT)='?(\d+)", environment, re.MULTILINE))
    return {str(port + level): moved[name] for name, port in described.items()}


def _run(command: str, checkout: Path, ports: dict[str, str]) -> str:
    """Return what a command printed, as on the usual ports and below the project's folder."""
    for port, other in ports.items():
        command = command.replace(f"127.0.0.1:{port}", f"127.0.0.1:{other}")
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=checkout,
        env={name: value for name, value in os.environ.items() if not name.startswith("MAKE")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return _as_usual(done.stdout, checkout, ports)


def _as_usual(printed: str, checkout: Path, ports: dict[str, str]) -> str:
    # What was recorded before makes this checkout one with changes; a reader's has none.
    printed = printed.replace(f"{checkout}/", "").replace("-dirty", "")
    for port, other in ports.items():
        printed = printed.replace(f"127.0.0.1:{other}", f"127.0.0.1:{port}")
    return "\n".join(line.rstrip() for line in printed.strip().splitlines())


def in_shape(printed: str) -> str:
    """Return an output without what differs from run to run: numbers, hashes, spaces."""
    return re.sub(r"\s+", " ", re.sub(r"[0-9a-f]*\d[0-9a-f]*", "#", printed))


def record(level: int) -> Path:
    """Bring a level up, run the commands of its lessons, end it, and keep what they printed.

    Raises:
        StageError: the level did not come up.
    """
    path = ROOT / OUTPUTS / f"level{level}.yaml"
    command = start_of(level)
    with subprocess.Popen(
        command.split(), cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as stage:
        try:
            assert stage.stdout is not None  # noqa: S101 - it is piped
            started = until_ready(stage.stdout)
            if READY not in started:
                raise StageError(f"level {level} did not come up: try {command}")
            shown = _as_usual(from_the_start(started), ROOT, moved_ports(level, ROOT))
            printed = {command: shown} | run_all(level)
        finally:
            os.killpg(stage.pid, signal.SIGTERM)  # Ctrl-C is ignored by what a shell started in the background
            stage.communicate()
    path.parent.mkdir(exist_ok=True)
    entries = [{"command": shown, "prints": text} for shown, text in printed.items()]
    write_text(path, yaml.dump(entries, Dumper=Readable, sort_keys=False, allow_unicode=True, width=10_000))
    return path


def until_ready(lines: Iterable[str]) -> str:
    """Return what a stage prints until it serves."""
    printed = []
    for line in lines:
        printed.append(line.rstrip())
        if READY in line:
            break
    return "\n".join(printed)


def from_the_start(printed: str) -> str:
    """Return what a stage printed, without what only the first start in a checkout says before."""
    lines = printed.splitlines()
    return "\n".join(lines[next(n for n, line in enumerate(lines) if STARTING in line) :])


class Readable(yaml.SafeDumper):
    """Writes a text of several lines as several lines."""


def _text(dumper: Readable, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


Readable.add_representer(str, _text)
