"""The load on a server, in a process of its own: clients that ask as soon as they are answered (Locust).

Run by benchmarks/speed.py. The environment names the requests (LOAD_REQUESTS, a body a line), how many at most
(LOAD_MOST), the path (LOAD_PATH) and the file for what was measured (LOAD_RESULT).
"""

import itertools
import json
import os
import time
from pathlib import Path
from typing import Any

from locust import FastHttpUser, events, task
from locust.exception import StopUser

BODIES = itertools.islice(
    itertools.cycle(Path(os.environ["LOAD_REQUESTS"]).read_text().splitlines()), int(os.environ["LOAD_MOST"])
)
answered: list[tuple[float, float]] = []  # when it was asked, in seconds, and how long it took, in ms
failed: list[str] = []
began: list[float] = []  # the processor time that the imports had taken


class Client(FastHttpUser):
    """Asks as soon as it is answered."""

    @task
    def ask(self) -> None:
        """Send the next request; after the last one, it is over."""
        body = next(BODIES, None)
        if body is None:
            self.environment.runner.quit()
            raise StopUser
        self.client.post(os.environ["LOAD_PATH"], data=body, headers={"content-type": "application/json"})


@events.test_start.add_listener
def start(**_: Any) -> None:
    """Note when the load begins."""
    began.append(time.process_time())


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
    measured = {"answered": answered, "failed": failed, "processor": time.process_time() - began[0]}
    Path(os.environ["LOAD_RESULT"]).write_text(json.dumps(measured))
