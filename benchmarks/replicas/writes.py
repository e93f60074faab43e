"""Append to a prediction log for some seconds, by several processes; print how often a second.

Run inside a stage, by benchmarks/replicas/log.py: `python - ADDRESS PREDICTIONS WRITERS SECONDS FLIGHT`.
"""

import json
import os
import sys
import time
from importlib import import_module
from multiprocessing import get_context
from typing import Any

package, forking = os.environ["LEVEL"], get_context("fork")
log, schema = import_module(f"{package}.serving.prediction_log"), import_module(f"{package}.data.schema")


def write(address: str, some: list[Any], seconds: float, barrier: Any, counts: Any) -> None:
    """Append until the time is over, with a connection that is kept; say how often and for how long."""
    with log.open_log(address) as connection:
        log.append(connection, some)
        barrier.wait()
        appends, began = 0, time.monotonic()
        while time.monotonic() < began + seconds:
            log.append(connection, some)
            appends += 1
        counts.put((appends, time.monotonic() - began))


def rate(address: str, predictions: int, writers: int, seconds: float, flight: str) -> float:
    """Return how many times a second so many processes append so many predictions."""
    some = [log.Logged(schema.Flight.model_validate_json(flight), "champion", "a model", 0.5)] * predictions
    barrier, counts = forking.Barrier(writers), forking.SimpleQueue()
    given = address, some, seconds, barrier, counts
    processes = [forking.Process(target=write, args=given) for _ in range(writers)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    if any(process.exitcode for process in processes):
        raise SystemExit("a writer failed")
    return sum(appends / took for appends, took in (counts.get() for _ in processes))


if __name__ == "__main__":
    address, predictions, writers, seconds, flight = sys.argv[1:]
    print(json.dumps(rate(address, int(predictions), int(writers), float(seconds), flight)))
