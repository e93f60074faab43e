"""Requests a second at one, two and three replicas, the memory and processor they take, and seconds to release.

The processor time of a request is that of the control groups, container by container, while a load is on; the
client's is its own. The engine's proxy, a process of its own, copies every byte on the way to the balancer.
"""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from shared.stack.docker import LABEL, connect
from shared.stack.swarm import SERVICE, SwarmStage

from ..peers import Server
from ..speed import Load
from .releases import RELEASES, follow, other_commit, release, scale, with_challenger

Figures = dict[str, Any]
COUNTS = 1, 2, 3
SIZES, CLIENTS, ROUNDS, SECONDS = (1, 100), 8, 2, 6
MOST = 10_000  # requests of a round
MB, NANOSECONDS = 1e6, 1e9
IDLE = 15  # seconds in which nobody asks
# Others of the swarm's services are the rest of the stage.
PARTS = {"app": "replicas", "mlflow": "the registry", "postgres": "PostgreSQL"}


def part_of(container: Any) -> str:
    """Return which part of the stage a container is."""
    labels = container.labels
    if labels.get("com.docker.compose.service") == "balancer":
        return "balancer"
    return PARTS.get(labels.get(SERVICE, "").rpartition("_")[2], "the rest of the stage")


def used(stage: SwarmStage, clients: list[Any]) -> tuple[Counter[str], Counter[str]]:
    """Return the processor seconds so far of each part of a stage, and its memory in MB without cached files."""
    seconds, memory = Counter[str](), Counter[str]()
    for client in clients:
        for container in client.containers.list(
            filters={"label": f"{LABEL}={stage.workspace}"}, ignore_removed=True
        ):
            stats = container.stats(stream=False, one_shot=True)
            seconds[part_of(container)] += stats["cpu_stats"]["cpu_usage"]["total_usage"] / NANOSECONDS
            held = stats["memory_stats"]
            cached = held["stats"].get("inactive_file", held["stats"].get("total_inactive_file", 0))
            memory[part_of(container)] += (held["usage"] - cached) / MB
    return seconds, memory


def idle(stage: SwarmStage) -> dict[str, float]:
    """Return the cores that each part takes while nobody asks, by the workers' and replicas' own questions."""
    began, (before, _) = time.monotonic(), used(stage, [connect()])
    time.sleep(IDLE)
    seconds, (after, _) = time.monotonic() - began, used(stage, [connect()])
    return {part: round((after[part] - before[part]) / seconds, 3) for part in after}


def under_load(stage: SwarmStage, load: Load, size: int, clients: list[Any]) -> Figures:
    """Put one round of load on the balancer; return its rate, and each part's ms of processor time a request."""
    server = Server(f"level {stage.number}", int(stage.environment["PORT"]))  # what listens there is the proxy
    before, _ = used(stage, clients)
    psutil.cpu_percent()  # the next one is since this one
    measured = load.put(server, size, CLIENTS, SECONDS, MOST)
    busy = psutil.cpu_percent()
    after, _ = used(stage, clients)
    taken = {part: (after[part] - before[part]) * 1000 / measured.answered for part in after}
    return {
        "requests_a_second": measured.requests_per_second,
        "p99_ms": measured.p99_ms,
        "busy_percent": busy,
        "processor_ms": taken | {"the engine's proxy": measured.processor_ms, "client": measured.client_ms},
    }


def of_rounds(rounds: list[Figures]) -> Figures:
    """Return the median of each figure of some rounds, and all of their rates."""
    parts = rounds[0]["processor_ms"]
    return {
        "requests_a_second": median(each["requests_a_second"] for each in rounds),
        "rounds": [round(each["requests_a_second"], 1) for each in rounds],
        "p99_ms": round(median(each["p99_ms"] for each in rounds), 1),
        "busy_percent": round(median(each["busy_percent"] for each in rounds)),
        "processor_ms": {
            part: round(median(each["processor_ms"].get(part, 0.0) for each in rounds), 3) for part in parts
        },
    }


def rates(stage: SwarmStage, clients: list[Any]) -> Figures:
    """Return what the replicas that there are answer, and what they and the stage take of memory."""
    with tempfile.TemporaryDirectory() as scratch:
        load = Load(Path(scratch))
        load.put(Server("", int(stage.environment["PORT"])), 1, CLIENTS, 2)  # the first requests are slower
        few, many = (of_rounds([under_load(stage, load, size, clients) for _ in range(ROUNDS)]) for size in SIZES)
    by_node = [used(stage, [client])[1] for client in clients]
    return few | {
        "hundred": many,
        "memory_mb": round(sum(memory.total() for memory in by_node)),
        "replicas_mb": round(sum(memory["replicas"] for memory in by_node)),
        "memory_mb_of_nodes": [round(memory.total()) for memory in by_node],
    }


def measure(stage: SwarmStage) -> Iterator[Figures]:
    """Yield the figures of each count of replicas."""
    champion, other = with_challenger(stage)
    follow(stage, champion)  # alone
    for _ in RELEASES:
        release(stage, other_commit(stage))  # from here on, the images of both are there
    for count in COUNTS:
        scale(stage, count)
        figures: Figures = {"idle_cores": idle(stage)} | rates(stage, [connect()])
        figures["release_seconds"] = release(stage, other_commit(stage))
        figures["model_seconds"] = {"new": follow(stage, other), "known": follow(stage, champion)}
        yield {"replicas": {str(count): figures}}
