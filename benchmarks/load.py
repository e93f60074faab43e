"""The load on a server, in a process of its own: clients that ask as soon as they are answered (Locust).

Run by benchmarks/speed.py. The environment names the requests (LOAD_REQUESTS, a body a line), the path (LOAD_PATH)
and the file for what was measured (LOAD_RESULT).
"""

import itertools
import json
import os
from pathlib import Path
from typing import Any

from locust import FastHttpUser, events, task

BODIES = itertools.cycle(Path(os.environ["LOAD_REQUESTS"]).read_text().splitlines())
answered: list[tuple[float, float]] = []  # when it was asked, in seconds, and how long it took, in ms
failed: list[str] = []


class Client(FastHttpUser):
    """Asks as soon as it is answered."""

    @task
    def ask(self) -> None:
        """Send the next request."""
        self.client.post(os.environ["LOAD_PATH"], data=next(BODIES), headers={"content-type": "application/json"})


@events.request.add_listener
def keep(start_time: float, response_time: float, exception: Exception | None, **_: Any) -> None:
    """Keep what was measured of a request."""
    if exception:
        failed.append(str(exception))
    else:
        answered.append((start_time, response_time))


@events.quitting.add_listener
def write(**_: Any) -> None:
    """Write what was measured."""
    Path(os.environ["LOAD_RESULT"]).write_text(json.dumps({"answered": answered, "failed": failed}))
