"""Clients that ask one flight after another while something changes, and remember what they were told."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import httpx

from shared.stack.stage import Stage
from shared.stack.swarm import SwarmStage

from .swarms import in_worker

CLIENTS = 8
MOST_SECONDS = 600.0
SECONDS_TO_TRY_AGAIN = 0.1  # that a client waits who was not answered

LOGGED = """
import json, os
from importlib import import_module
package = os.environ["LEVEL"]
log, paths = import_module(f"{package}.serving.prediction_log"), import_module(f"{package}.config.paths")
with log.open_log(paths.PREDICTION_LOG) as connection:
    rows = connection.rows("SELECT flight_id FROM predictions WHERE flight_id LIKE ?", ["NAME-%"])
print(json.dumps([row["flight_id"] for row in rows]))
"""


class Traffic:
    """What eight clients were told: which flights were answered, when, and what was not."""

    def __init__(self, address: str, name: str, flight: dict[str, Any]) -> None:
        self.address, self.name, self.flight = f"{address}/predict", name, flight
        self.answered: dict[str, tuple[float, float]] = {}  # by flight: when, and after how many seconds
        self.failed: list[tuple[float, str, str]] = []  # when, the kind, and the words
        self.models: set[str] = set()
        self.over = threading.Event()
        self.began = self.ended = time.monotonic()

    def ask(self, client: int) -> None:
        """Ask about one flight after another until it is over."""
        n = 0
        with httpx.Client(timeout=30) as http:
            while not self.over.is_set():
                n, flight, asked = n + 1, f"{self.name}-{client}-{n}", time.monotonic()
                try:
                    answer = http.post(self.address, json={"flights": [self.flight | {"flight_id": flight}]})
                    answer.raise_for_status()
                except httpx.HTTPError as error:
                    self.failed.append((time.monotonic(), kind_of(error), f"{time.strftime('%X')} {error!r}"))
                    self.over.wait(SECONDS_TO_TRY_AGAIN)
                else:
                    now = time.monotonic()
                    self.answered[flight] = now, now - asked
                    self.models.add(answer.json()["predictions"][0]["model"])

    def go_on(self, requests: int) -> None:
        """Wait until there were enough answers, or it is plain that there will not be."""
        while len(self.answered) < requests and len(self.failed) <= requests:
            if time.monotonic() > self.began + MOST_SECONDS:
                return
            time.sleep(0.05)

    def summary(self) -> dict[str, Any]:
        """Return the figures; the longest gap is between two answers, of whichever clients."""
        when = [self.began, *sorted(when for when, _ in self.answered.values())]
        return {
            "answered": len(self.answered),
            "failed": dict(Counter(kind for _, kind, _ in self.failed)),
            "seconds": round(self.ended - self.began, 1),
            "slowest_answer": round(max((took for _, took in self.answered.values()), default=0.0), 2),
            "longest_gap": round(max((later - earlier for earlier, later in pairwise(when)), default=0.0), 2),
        }

    def first_answer_after(self, moment: float) -> float | None:
        """Return after how many seconds the first answer came, if one did."""
        return min((when - moment for when, _ in self.answered.values() if when >= moment), default=None)


def kind_of(error: httpx.HTTPError) -> str:
    """Return the status that a client was told, or what became of its connection."""
    return str(error.response.status_code) if isinstance(error, httpx.HTTPStatusError) else type(error).__name__


@contextmanager
def asking(stage: Stage, name: str, flight: dict[str, Any], requests: int) -> Iterator[Traffic]:
    """Let clients ask while the block runs, and after it until there were so many answers.

    Args:
        stage: it answers.
        name: their flights begin with it, in the log too.
        flight: what they ask about, under another name each time.
        requests: that are to be answered at least.
    """
    asked = Traffic(f"http://127.0.0.1:{stage.environment['PORT']}", name, flight)
    clients = [threading.Thread(target=asked.ask, args=[client]) for client in range(CLIENTS)]
    for client in clients:
        client.start()
    try:
        yield asked
        asked.go_on(requests)
    finally:
        asked.over.set()
        for client in clients:
            client.join()
        asked.ended = time.monotonic()


def missing(stage: SwarmStage, asked: Traffic) -> set[str]:
    """Return the flights that were answered and are not in the prediction log."""
    return set(asked.answered) - set(json.loads(in_worker(stage, LOGGED.replace("NAME", asked.name))))
