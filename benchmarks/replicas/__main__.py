"""Measure what replicas in a swarm bring, cost and survive; write docs/replicas.*, and docs/scale.md again.

Run: `make bench-scale` measures all of it, `make bench-scale PART='troubles --level 3'` a part. Every figure
is written as soon as it is known; those of a part that fails or whose engine is missing stay as they were.
"""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

from shared.base import ROOT, StageError, write_text
from shared.stack.cleanup import clean_swarm
from shared.stack.swarm import SwarmStage

from .. import scale, swarms
from . import log, nodes, page, plot, speed, troubles

Figures = dict[str, Any]
Part = Callable[[SwarmStage], Iterator[Figures]]

DOCS = ROOT / "docs"
PARTS: dict[str, Part] = {"speed": speed.measure, "log": log.measure, "troubles": troubles.measure}
NODES = "nodes"
LEVELS = {"speed": [4], "log": [4], "troubles": [4, 3], NODES: [4]}  # at which a part is measured


def merged(before: Figures, new: Figures) -> Figures:
    """Return figures with new ones in the place of the same before, at any depth."""
    both = {
        name: merged(before[name], value)
        if isinstance(value, dict) and isinstance(before.get(name), dict)
        else value
        for name, value in new.items()
    }
    return before | both


def keep(new: Figures) -> None:
    """Write new figures among those that are there, and the page and the picture of all of them."""
    path = DOCS / "replicas.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    figures = merged(before, new | {"cores": os.cpu_count()})
    write_text(path, json.dumps(figures, indent=1) + "\n")
    write_text(DOCS / "replicas.md", page.page(figures))
    plot.draw(figures).savefig(DOCS / "replicas.png", dpi=110)
    write_text(scale.DOCUMENT, scale.report(scale.figures_of("scale")))
    print(json.dumps(new), flush=True)


def run(parts: list[str], level: int) -> list[str]:
    """Measure parts at one level, on a stage of one node; return what failed."""
    failed = []
    with swarms.alone_in_engine(empty=True) as client, ExitStack() as cleaning:
        cleaning.callback(clean_swarm, client)
        with swarms.brought_up(level, troubles.REPLICAS) as stage:
            for part in parts:
                failed += attempt(part, PARTS[part], stage)
    return failed


def run_nodes(level: int) -> list[str]:
    """Measure two nodes, the second of which is killed in the end; return what failed."""
    with (
        swarms.alone_in_engine() as first,
        swarms.two_nodes(first) as second,
        swarms.brought_up(level, troubles.REPLICAS, second=True) as stage,
    ):
        return attempt(NODES, lambda stage: nodes.measure(stage, second), stage)


def attempt(part: str, measure: Part, stage: SwarmStage) -> list[str]:
    """Keep what a part yields; return in one line why it failed, if it did."""
    began = time.monotonic()
    print(f"level {stage.number}, {part}", flush=True)
    try:
        for figures in measure(stage):
            keep(figures)
    except StageError as error:
        return [f"level {stage.number}, {part}: {error}"]
    print(f"level {stage.number}, {part}: took {time.monotonic() - began:.0f} s", flush=True)
    return []


def main() -> None:
    """Measure what was asked for, level by level."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=f"any of {', '.join(LEVELS)}; all without any")
    parser.add_argument("--level", type=int, choices=[3, 4], help="instead of those that a part is measured at")
    arguments = parser.parse_args()
    parts = arguments.parts or list(LEVELS)
    if unknown := set(parts) - set(LEVELS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    failed = []
    for level in [arguments.level] if arguments.level else [4, 3]:
        here = [part for part in parts if arguments.level or level in LEVELS[part]]
        jobs: list[Callable[[], list[str]]] = []
        if on_one := [part for part in here if part != NODES]:
            jobs.append(partial(run, on_one, level))
        if NODES in here:
            jobs.append(partial(run_nodes, level))
        for job in jobs:
            try:
                failed += job()
            except StageError as error:
                failed.append(f"level {level}: {error}")
    if failed:
        raise SystemExit("\n".join(["left as it was:", *failed]))


if __name__ == "__main__":
    main()
