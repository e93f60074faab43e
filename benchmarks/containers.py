"""What the containers of each level cost, and whether they answer the same: docs/containers.md (`make sizes`)."""

import hashlib
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from operator import eq
from typing import Any
from unittest.mock import patch

import httpx

from shared import base
from shared.base import ROOT, StageError, levels, write_text
from shared.demo.play import play
from shared.markdown import table
from shared.stack.docker import LABEL, ContainerStage, connect
from shared.stack.engines import open_stage
from shared.stack.stage import Event, Stage, running
from shared.world.dataset import Year, days, load_year
from shared.world.period import Period

DAYS = 14  # of each level's own play: at levels 3 and 4 these hold a training and an experiment
DOCUMENT = ROOT / "docs" / "containers.md"
LARGEST = 5  # packages to name per image
RELEASED = "HEAD~1"  # another commit than the one that serves, so that containers are replaced
PATIENCE = 60.0  # seconds without an answer after which a release has failed
MB = 1e6


@dataclass(frozen=True)
class Container:
    """One container after the play: its memory and limit in MB, and its image."""

    service: str
    memory: float
    limit: float
    image: str


@dataclass(frozen=True)
class Comparison:
    """One level, played as processes and as containers."""

    level: str
    seconds: tuple[float, float]
    silences: tuple[float, float]  # in seconds, while the application was released
    flights: int
    difference: float
    decisions: tuple[list[list[Event]], list[list[Event]]]  # what each reported of every day
    containers: list[Container]


def play_and_ask(
    stage: Stage, period: Period, year: Year, started: float
) -> tuple[dict[str, float], list[list[Event]]]:
    """Play a window through a stage that was started then; ask all once more; return answers and decisions."""
    decisions: list[list[Event]] = []
    run_day = stage.run_day

    def recorded(day: date) -> list[Event]:
        decisions.append(run_day(day))
        return decisions[-1]

    with patch.object(stage, "run_day", recorded):
        play(stage, period, started)
    answers: dict[str, float] = {}
    for day in days(period.first, period.last):
        flights = year.flights_of(day).to_json(orient="records", date_format="iso")
        answers |= {flight: answer.late_probability for flight, answer in stage.ask(day, flights).items()}
    return answers, decisions


def first_answer(stage: Stage) -> float:
    """Return the seconds from the start to the first prediction, people's and machines' training included."""
    summary: dict[str, Any] = json.loads((stage.workspace / "summary.json").read_text())
    return float(summary["seconds_to_first_prediction"])


def longest_silence(stage: Stage, day: date, year: Year) -> float:
    """Release the application while asking for a flight of a day; return the longest seconds without an answer.

    Raises:
        StageError: the release failed, or nobody answered for too long.
    """
    flight = year.flights_of(day).head(1).to_json(orient="records", date_format="iso")
    answered, over = [time.monotonic()], False
    with ThreadPoolExecutor(1) as pool:
        release = pool.submit(stage.run, f"python -m ${{LEVEL}} deploy {RELEASED}", where="host")
        while not over and time.monotonic() < answered[-1] + PATIENCE:
            time.sleep(0.01)  # some processor is left for the release
            released = release.done()  # before the question, so that the last answer is one after the release
            try:
                stage.ask(day, flight)
            except (StageError, httpx.HTTPError):
                continue
            answered.append(time.monotonic())
            over = released
        release.result()
    if not over:
        raise StageError(f"{stage.package} did not answer for {PATIENCE:.0f} s while it was released")
    return max(later - earlier for earlier, later in pairwise(answered))


def compare(number: int) -> Comparison:
    """Play the same days with both engines."""
    year = load_year(base.WORKSPACES / "year")
    os.environ["ENGINE"] = ""
    stage = open_stage(number)
    period = Period.of(str(stage.description["play"]["from"]), DAYS)
    started = time.monotonic()
    with running(stage):
        usual, decisions = play_and_ask(stage, period, year, started)
        silence = longest_silence(stage, period.last, year)
    seconds = first_answer(stage)
    os.environ["ENGINE"] = "docker"
    stage = open_stage(number)
    started = time.monotonic()
    with running(stage):
        answers, decisions_inside = play_and_ask(stage, period, year, started)
        containers = sorted(weigh(stage), key=lambda container: container.service)
        silences = silence, longest_silence(stage, period.last, year)
    if answers.keys() != usual.keys():
        raise StageError(f"{stage.package} answered different flights as processes and as containers")
    largest = max(abs(answers[flight] - usual[flight]) for flight in usual)
    both = decisions, decisions_inside
    return Comparison(
        stage.package, (seconds, first_answer(stage)), silences, len(usual), largest, both, containers
    )


def weigh(stage: Stage) -> Iterator[Container]:
    """Yield the containers of a stage; files that the engine merely keeps cached are not counted as memory."""
    for container in connect().containers.list(filters={"label": f"{LABEL}={stage.workspace}"}):
        memory = container.stats(stream=False)["memory_stats"]
        cached = memory["stats"].get("inactive_file", memory["stats"].get("total_inactive_file", 0))
        service = container.labels["com.docker.compose.service"]
        yield Container(service, (memory["usage"] - cached) / MB, memory["limit"] / MB, container.image.tags[0])


def fillings(image: str) -> list[tuple[str, float]]:
    """Return what fills an image, in MB: its largest packages first."""
    script = "du -k --max-depth=1 /packages/lib/python3*/site-packages | sort -rn"
    output = connect().containers.run(image, ["sh", "-c", script], remove=True, network_mode="none")
    lines = [line.split("\t") for line in output.decode().splitlines()]
    return [(path.rpartition("/")[2], int(size) * 1024 / MB) for size, path in lines]


def contents(image: str) -> dict[str, str]:
    """Return the hash of every file in an image, with its mode and owner, by path."""
    client, hashes = connect(), {}
    container = client.containers.create(image)
    try:
        with tempfile.TemporaryFile() as whole:
            for piece in container.export():
                whole.write(piece)
            whole.seek(0)
            with tarfile.open(fileobj=whole) as tar:
                for entry in tar:
                    file = tar.extractfile(entry) if entry.isfile() else None
                    digest = hashlib.sha256(file.read()).hexdigest() if file else entry.linkname
                    hashes[entry.name] = f"{entry.mode:o} {entry.uid} {digest}"
    finally:
        container.remove()
    return hashes


def built_twice(number: int) -> tuple[str, list[str]]:
    """Build the image that serves twice, from nothing; return its name and the paths that differ."""
    stage = ContainerStage(number)
    image = f"{stage.package}/app:{stage.environment['REVISION']}"
    builds = []
    for _ in range(2):
        stage.compose("build", "--no-cache", "app")
        builds.append(contents(image))
    first, second = builds
    return image, sorted(path for path in first.keys() | second.keys() if first.get(path) != second.get(path))


def images_of(comparisons: list[Comparison]) -> Iterator[list[str]]:
    """Yield a row for each image: its size, and what fills it."""
    for image in dict.fromkeys(container.image for level in comparisons for container in level.containers):
        size = connect().images.get(image).attrs["Size"] / MB
        (_, packages), *parts = fillings(image)
        largest = ", ".join(f"{name} {part:.0f}" for name, part in parts[:LARGEST])
        yield [image.partition(":")[0], f"{size:.0f}", f"{packages:.0f}", largest]


def report(comparisons: list[Comparison], twice: tuple[str, list[str]]) -> str:
    """Return the document."""
    base = connect().images.get(os.environ.get("BASE_IMAGE", "python:3.11-slim")).attrs["Size"] / MB
    engines = [
        [
            level.level,
            f"{level.seconds[0]:.1f}",
            f"{level.seconds[1]:.1f}",
            f"{level.flights:,}",
            f"{level.difference:.1e}",
            f"{sum(map(eq, *level.decisions))} of {max(map(len, level.decisions))}",
        ]
        for level in comparisons
    ]
    gaps = [[level.level, *(f"{silence:.2f}" for silence in level.silences)] for level in comparisons]
    memory = [
        [level.level, container.service, f"{container.memory:.0f}", f"{container.limit:.0f}"]
        for level in comparisons
        for container in level.containers
    ]
    image, differing = twice
    same = "hold the same files" if not differing else f"differ in {', '.join(f'`{path}`' for path in differing)}"
    return f"""# Every stage as containers

Written by `make sizes`, which plays {DAYS} days from the first one of each level's own play, first as processes of
this machine, then as containers of its own images (`ENGINE=docker`).

Seconds from the start to the first answer (images already built, the first training included; of a machine that is
shared with other work), the largest difference between the two in the probability of any flight, and on how many
days the machine did the same and gave the same reason:

{table(["level", "processes, s", "containers, s", "flights", "largest difference", "same decisions"], engines)}

The longest time without an answer while another commit of the application was released, asking all the time. At
level 4, as processes, the new one answers before the old one stops:

{table(["level", "processes, s", "containers, s"], gaps)}

Memory after the play, without what the engine merely keeps cached, and its limit:

{table(["level", "container", "MB", "limit, MB"], memory)}

Images, on a base of {base:.0f} MB, and the largest packages in them:

{table(["image", "MB", "packages, MB", "largest, MB"], images_of(comparisons))}

Two builds of {image.partition(":")[0]} from one commit, each from nothing, {same}
(times of files are not compared).
"""


def main() -> None:
    """Measure, and write the document."""
    numbers = [number for number, name in levels().items() if (ROOT / name / "compose.yaml").exists()]
    for number in numbers:
        ContainerStage(number).compose("build")
    comparisons = [compare(number) for number in numbers]
    write_text(DOCUMENT, report(comparisons, built_twice(numbers[-1])))
    print(f"wrote {DOCUMENT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
