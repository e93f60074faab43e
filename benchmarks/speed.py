"""How fast the levels answer, beside what people use today: docs/speed.json, docs/speed.md, docs/speed.png.

All servers run at once and are asked in turns, a few seconds each and several rounds: whatever else the machine
does meets all of them alike, so ratios within a round hold where seconds do not. The load comes from a process of
its own (benchmarks/load.py), which shares the machine's cores with the servers.

Run: `make bench` writes all three.
"""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from rich.progress import track

from level3_deployment.data.features import make_features
from shared import base
from shared.base import ROOT, StageError, levels, write_text
from shared.demo.play import play
from shared.stack.stage import Stage, running
from shared.world.bad_models import deliver_candidate
from shared.world.dataset import load_year
from shared.world.period import Period

from . import speed_page
from .peers import Server, served

DAY, MONTH = "2013-03-01", "2013-03-31"  # the first model is trained on the two months before
SIZES, CLIENTS = (1, 100), (1, 8, 32)  # flights a request, and who asks at the same time
WHOLE_DAY = 966  # flights
ROUNDS, SECONDS = 2, 2
MOST = 1_000_000  # requests; none comes near it
SWAP_SECONDS, SECONDS_BETWEEN_SWAPS = 12, 1.5


@dataclass(frozen=True)
class Measured:
    """What one round of load measured."""

    answered: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float
    processor_ms: float  # of the server, a request
    client_ms: float  # of who asked
    refused: float  # share of the requests


def bodies(flights: pd.DataFrame, size: int, kind: str) -> Iterator[str]:
    """Yield request bodies of `size` flights each: as the levels, a bare endpoint, or MLflow want them."""
    for first in range(0, len(flights) - size, size):
        some = flights.iloc[first : first + size]
        if kind == "flights":
            yield f'{{"flights": {some.to_json(orient="records", date_format="iso")}}}'
            continue
        features = pd.DataFrame(make_features(some))
        if kind == "features":
            yield features.to_json(orient="records")
        else:
            yield f'{{"dataframe_split": {features.to_json(orient="split", index=False)}}}'


class Load:
    """Puts load on servers, with the flights of a month, so that the log grows as a real one does."""

    def __init__(self, folder: Path) -> None:
        year = load_year(base.WORKSPACES / "year")
        self.flights, self.folder = year.flights.loc[DAY:MONTH].reset_index(drop=True), folder

    def put(self, server: Server, size: int, clients: int, seconds: int = SECONDS, most: int = MOST) -> Measured:
        """Ask a server for some seconds, and at most so many times.

        Raises:
            StageError: a request failed.
        """
        requests, result = self._requests(size, server.requests), self.folder / "result.json"
        named = {"LOAD_REQUESTS": str(requests), "LOAD_PATH": server.path, "LOAD_RESULT": str(result)}
        named["LOAD_MOST"] = str(most)
        command = [sys.executable, "-m", "locust", "-f", str(ROOT / "benchmarks" / "load.py"), "--headless"]
        command += ["--users", str(clients), "--spawn-rate", "1000", "--run-time", f"{seconds}s"]
        command += ["--host", f"http://127.0.0.1:{server.port}", "--stop-timeout", "30"]
        command += ["--only-summary", "--skip-log"]
        before = server.processor_seconds()
        subprocess.run(command, env=os.environ | named, capture_output=True, timeout=seconds + 60, check=False)
        used = server.processor_seconds() - before
        measured = json.loads(result.read_text())
        result.unlink()
        if (measured["failed"] and not server.refuses) or not measured["answered"]:
            raise StageError(f"{server.name} failed: {(measured['failed'] or ['no answer'])[0]}")
        asked, took = np.array(measured["answered"]).T
        rate = len(asked) / ((asked + took / 1e3).max() - asked.min())
        p50, p99 = np.percentile(took, (50, 99)).tolist()
        refused = len(measured["failed"]) / (len(measured["failed"]) + len(asked))
        ours, theirs = used * 1e3 / len(asked), measured["processor"] * 1e3 / len(asked)
        return Measured(len(asked), float(rate), p50, p99, ours, theirs, refused)

    def _requests(self, size: int, kind: str) -> Path:
        path = self.folder / f"{kind}-{size}.jsonl"
        if not path.exists():
            path.write_text("\n".join(bodies(self.flights, size, kind)))
        return path


@contextmanager
def stages(folder: Path) -> Iterator[dict[int, Stage]]:
    """Start every level that has a server, each with a first model of the same two months."""
    numbers = [number for number in levels() if "ready" in Stage(number).description]
    with ExitStack() as stack:
        started = {}
        for number in numbers:
            stage, began = Stage(number, folder / f"level{number}"), time.monotonic()
            stack.enter_context(running(stage))
            play(stage, Period.of(DAY, 1), began)
            started[number] = stage
        yield started


def server_of(stage: Stage, port: str = "PORT", note: str = "") -> Server:
    """Return the server of a level."""
    return Server(f"level {stage.number}{note}", int(stage.environment[port]))


def in_turns(load: Load, servers: list[Server], cases: list[tuple[int, int]], what: str) -> dict[str, Any]:
    """Return what each server did under each load (flights a request, clients), round by round."""
    results: dict[str, Any] = {
        server.name: {f"{size} x {clients}": [] for size, clients in cases} for server in servers
    }
    turns = [(size, clients, server) for _ in range(ROUNDS) for size, clients in cases for server in servers]
    for server in servers:
        load.put(server, 1, 1, 1)  # the first requests of a process are slower
    for size, clients, server in track(turns, what):
        results[server.name][f"{size} x {clients}"].append(vars(load.put(server, size, clients)))
    return results


@contextmanager
def again_and_again(act: Callable[[int], None], seconds: float) -> Iterator[None]:
    """Act every so many seconds while the block runs, with the number of the time."""
    over = threading.Event()

    def loop() -> None:
        number = 0
        while not over.wait(seconds):
            act(number)
            number += 1

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def swap_under_load(load: Load, stage: Stage) -> dict[str, Any]:
    """Return what level 3 did while nothing changed, and while its champion was replaced again and again.

    Two certified versions take turns. The service has just been started, so that it fetches the second one.
    """
    registry = MlflowClient(stage.environment["MLFLOW_TRACKING_URI"])
    registry.delete_registered_model_alias("flight-delays", "challenger")

    def swap(number: int) -> None:
        registry.set_registered_model_alias("flight-delays", "champion", str(2 - number % 2))

    server, results = server_of(stage), {}
    for name, seconds in {"as it is": 2 * SWAP_SECONDS, "swapped": SECONDS_BETWEEN_SWAPS}.items():
        stage.run("supervisorctl -c ${LEVEL}/supervisord.conf restart released:app")
        stage.wait_until_ready()
        load.put(server, 1, 1, 1)
        with again_and_again(swap, seconds):
            results[name] = vars(load.put(server, 1, 8, SWAP_SECONDS))
    return results


def measure(folder: Path) -> dict[str, Any]:
    """Return everything that the page says."""
    cases = [(size, clients) for size in SIZES for clients in CLIENTS]
    with tempfile.TemporaryDirectory() as scratch, stages(folder) as started:
        load = Load(Path(scratch))
        without_log = server_of(started[3], "STAGING_PORT", ", staging: no log")
        with served(started[3], folder / "peers") as (peers, left_out):
            ours = [server_of(stage) for stage in started.values()]
            results = {
                "left out": left_out,
                "servers": in_turns(load, [*peers, *ours, without_log], cases, "servers"),
                "whole day": in_turns(load, ours, [(WHOLE_DAY, 1)], "a whole day"),
            }
        delivery = deliver_candidate(started[3], "good")
        if not delivery.delivered:
            raise StageError(f"there is no second model: {delivery.text}")
        two_arms = server_of(started[3], note=", two arms and log")
        one_arm = server_of(started[3], "STAGING_PORT", ", one arm and no log")
        results["arms"] = in_turns(load, [two_arms, one_arm], [(1, 1), (1, 8), (100, 1)], "arms")
        results["swap"] = swap_under_load(load, started[3])
    return results | {"cores": os.cpu_count(), "rounds": ROUNDS, "seconds": SECONDS}


def main() -> None:
    """Measure, and write the three files."""
    results = measure(base.WORKSPACES / "speed")
    write_text(ROOT / "docs" / "speed.json", json.dumps(results, indent=2) + "\n")
    speed_page.draw(results).savefig(ROOT / "docs" / "speed.png", dpi=110)
    write_text(ROOT / "docs" / "speed.md", speed_page.page(results))
    print("wrote docs/speed.json, docs/speed.png, docs/speed.md")


if __name__ == "__main__":
    main()
