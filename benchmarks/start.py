"""How long a level takes from its start to its first prediction, by part: docs/start.json and docs/start.md.

Every level is started three times on a machine that has its packages, in a folder and on ports of its own, and
plays one day. The parts follow one another and add up to the whole; the servers start meanwhile.

Run: `make bench` writes both files. It takes minutes.
"""

import json
import os
import resource
import socket
import string
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from threading import Event, Thread
from typing import Any
from unittest.mock import patch

import httpx
import psutil

from shared import base
from shared.base import ROOT, StageError, write_text
from shared.demo import play
from shared.markdown import table
from shared.stack.operator import Operator
from shared.stack.process import last_line, run
from shared.stack.stage import CLIENT, Stage, running
from shared.world.dataset import load_year
from shared.world.period import Period

LEVELS, RUNS = (1, 2, 3, 4), 3
SECONDS = 300.0  # a run that takes longer has failed
FOLDER = ROOT / ".stage" / "bench"
SERVERS = {
    "application": "http://127.0.0.1:${PORT}/healthz",
    "staging": "http://127.0.0.1:${STAGING_PORT}/healthz",
    "MLflow": "http://127.0.0.1:${MLFLOW_PORT}/health",
    "Prefect": "http://127.0.0.1:${PREFECT_PORT}/api/health",
    "Evidently": "http://127.0.0.1:${EVIDENTLY_PORT}/api/version",
}
PARTS = {
    "imports": "Python starts and imports what plays the days",
    "processes": "the workspace is made, the processes are told to start",
    "year": "the flights of the year are read",
    "history": "the files of the days before are published",
    "daily run": "the first daily run collects them",
    "model": "people and pipelines make the first model, and deliver it",
    "ready": "the application answers",
    "prediction": "the flights of the first day are predicted",
}


Run = dict[str, dict[str, float]]  # by kind and name: seconds


def start(number: int) -> Run:
    """Start a level and play one day; return the seconds of each part, and after how many each server answered."""
    began = psutil.Process().create_time()
    parts = dict.fromkeys(PARTS, 0.0) | {"imports": time.time() - began}
    stage = Stage(number)
    period = Period.of(str(stage.description["play"]["from"]), 1)

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            before = time.monotonic()
            result = function(*arguments, **options)
            parts[part] += time.monotonic() - before
            return result

        return call

    with ExitStack() as stack:
        for owner, name, part in (
            (play, "load_year", "year"),
            (play, "publish", "history"),
            (stage, "run_day", "daily run"),
            (Operator, "release", "model"),
            (stage, "wait_until_ready", "ready"),
            (stage, "ask", "prediction"),
        ):
            stack.enter_context(patch.object(owner, name, timed(part, getattr(owner, name))))
        answered, over = dict[str, float](), Event()
        watch = Thread(target=watch_servers, args=(stage, began, answered, over), daemon=True)
        stack.callback(over.set)
        before = time.monotonic()
        with running(stage):
            parts["processes"] = time.monotonic() - before
            watch.start()
            play.play(stage, period, before)
    return {"parts": parts, "servers": answered}


def watch_servers(stage: Stage, began: float, answered: dict[str, float], over: Event) -> None:
    """Note after how many seconds each server of a stage answers, until all do or the run is over."""
    named = {
        name: address
        for name, address in SERVERS.items()
        if set(string.Template(address).get_identifiers()) <= stage.environment.keys()
    }
    while named.keys() - answered and not over.wait(0.1):
        for name in named.keys() - answered:
            try:
                CLIENT.get(stage.fill(named[name]), timeout=1)
            except httpx.TransportError:
                continue
            answered[name] = time.time() - began


def measure(number: int) -> Run:
    """Start a level in a process of its own; return what `start` does, and what all its processes computed.

    Raises:
        StageError: it failed.
        subprocess.TimeoutExpired: it took too long; it has been ended.
    """
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in Stage(number).description["ports"]}
    ports = {name: str(free.getsockname()[1]) for name, free in sockets.items()}
    for free in sockets.values():
        free.close()
    before = processor_seconds()
    done = run([sys.executable, "-m", "benchmarks.start", str(number)], ROOT, os.environ | ports, seconds=SECONDS)
    if done.returncode:
        raise StageError(f"level {number} did not start: {last_line(done)}")
    started = dict(json.loads(done.stdout.splitlines()[-1]))
    return started | {
        "whole": {"processor": processor_seconds() - before, "first": sum(started["parts"].values())}
    }


def processor_seconds() -> float:
    """Return what all processes computed that this one has started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(measured: dict[str, list[Run]]) -> str:
    """Return the document."""

    def row(kind: str, name: str, text: str, shown: Callable[[list[float]], float] = median) -> list[str]:
        columns = [[run[kind][name] for run in runs if name in run[kind]] for runs in measured.values()]
        return [text, *(f"{shown(column):.1f}" if column else "" for column in columns)]

    head = ["seconds", *(f"level {level}" for level in measured)]
    parts = [row("parts", name, text) for name, text in PARTS.items()]
    parts += [
        row("whole", "first", "**first prediction**"),
        row("whole", "first", "the fastest run", min),
        row("whole", "first", "the slowest run", max),
        row("whole", "processor", "what all its processes compute, to their end"),
    ]
    return f"""# From the start to the first prediction

Written by `make bench`, which starts every level {RUNS} times on a machine that has its packages, and shows the
median. The parts follow one another. Other work of the machine makes them longer, but hardly what the processes
compute:

{table(head, parts)}

The servers start meanwhile, and first answer after:

{table(head, [row("servers", name, name) for name in SERVERS])}
"""


def main() -> None:
    """Measure, and write both files."""
    base.WORKSPACES = FOLDER
    if len(sys.argv) > 1:
        print(json.dumps(start(int(sys.argv[1]))))
        return
    load_year(FOLDER / "year")
    measured: dict[str, list[Run]] = {str(number): [] for number in LEVELS}
    for _ in range(RUNS):
        for number in LEVELS:
            measured[str(number)].append(measure(number))
    write_text(ROOT / "docs" / "start.json", json.dumps(measured, indent=2) + "\n")
    write_text(ROOT / "docs" / "start.md", report(measured))
    print(report(measured))


if __name__ == "__main__":
    main()
