"""What a piece of work costs over a cluster, and from when on that pays: docs/fanout.json and docs/fanout.md.

Run: `make bench CLUSTER=local` writes both; CLUSTER=tcp://host:8786 measures that cluster, with its network. Of
repeated times the fastest counts, which other work of the machine disturbs least.
"""

import json
import os
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from math import ceil
from typing import Any

import pandas as pd

from level4_full.config.params import read_params
from shared import cluster
from shared.base import ROOT, write_text
from shared.markdown import table
from shared.world.period import FIRST_DAY

from .replica.year import Recipe, Year

BEFORE = (
    date(2013, 2, 1),
    date(2013, 4, 1),
    date(2013, 7, 1),
    date(2013, 12, 31),
)  # the days that trainings end at
REPEATS, TRIPS = 3, 100
SEVERAL = 8  # trainings, done here and over the cluster
DOCS = ROOT / "docs"

Results = dict[str, Any]


def fastest(work: Callable[[], object], times: int = REPEATS) -> float:
    """Return how many seconds a piece of work takes at best."""
    taken = []
    for _ in range(times):
        began = time.monotonic()
        work()
        taken.append(time.monotonic() - began)
    return min(taken)


def measure(year: Year) -> Results:
    """Measure trainings here, and what they cost over the cluster."""
    tables = [year.table.iloc[year.between(FIRST_DAY, before)] for before in BEFORE]
    pieces = [(recipe.name, recipe) for recipe in (Recipe(BEFORE[1], seed=seed) for seed in range(SEVERAL))]
    results: Results = {
        "cores": os.cpu_count(),
        "rows": [len(rows) for rows in tables],
        "fit": [fastest(partial(year.trained, Recipe(before))) for before in BEFORE],
    }
    here = fastest(lambda: [year.answers_of(piece) for piece in pieces], 1)
    began = time.monotonic()
    with cluster.connected() as client:

        def send(rows: pd.DataFrame) -> None:
            client.submit(len, client.scatter(rows, hash=False)).result()

        def train() -> None:
            client.gather([client.submit(year.answers_of, piece, pure=False) for piece in pieces])

        workers, start = len(client.run(os.getpid)), time.monotonic() - began
        warm = fastest(lambda: client.run(year.answers_of, pieces[0]), 1)
        warm -= fastest(lambda: client.run(year.answers_of, pieces[0]))
        return results | {
            "workers": workers,
            "start": start,
            "warm": warm,
            "trip": fastest(lambda: client.submit(os.getpid, pure=False).result(), TRIPS),
            "sent": [fastest(partial(send, rows)) for rows in tables],
            "several": {"trainings": SEVERAL, "rows": len(tables[1]), "here": here, "there": fastest(train, 1)},
        }


def exchanges() -> int:
    """Return how often machines that share one training must agree: at each split of each tree."""
    params = read_params().model
    return int(params.max_iter * (params.max_leaf_nodes - 1))


def page(results: Results) -> str:
    """Return docs/fanout.md."""
    month, year = results["fit"][0], results["fit"][-1]
    rows = [
        [f"{count:,}", f"{fit:.2f}", f"{sent:.2f}"]
        for count, fit, sent in zip(results["rows"], results["fit"], results["sent"], strict=True)
    ]
    trip, ready, several = results["trip"], results["start"] + results["warm"], results["several"]
    agree = exchanges() * trip
    share = 2 * agree / year  # of a year, from which on two machines are as fast as one
    return f"""# Fan out where it pays

Written by `make bench CLUSTER=local` (benchmarks/fanout.py), over {results["workers"]} workers on a machine of
{results["cores"]} cores that has other work too.

`CLUSTER=tcp://host:8786` names the scheduler of a Dask cluster, the one that Prefect's Dask task runner takes as
well. `CLUSTER=local` makes one for as long as the command takes. Without it, everything is as it was. What is
spread:

- `make bench`: the models of the [decisions](decisions.md) that are asked for whatever comes out, one piece each.
  What policies train besides depends on the day before, and is trained here. Speed and scale are measured on one
  machine.
- `make scoreboard`: each year of a level, one piece each. Its files are brought here.

**One training is not spread.** Neither is the search of level 2: it is no flow that could be given a task runner,
and no pipeline code changes for a cluster.

## What is measured

| | seconds |
|---|---|
| a piece that does nothing, there and back | {trip:.4f} |
| the cluster comes up | {results["start"]:.1f} |
| a worker imports, and reads the year, before its first training | {results["warm"]:.1f} |
| {several["trainings"]} trainings on {several["rows"]:,} flights, here, on all cores | {several["here"]:.1f} |
| the same over the cluster, {results["workers"]} at a time | {several["there"]:.1f} |

{table(["flights", "a training here, s", "its table sent to a worker, s"], rows)}

## When it pays

Two machines save at best half of the time of one.

- **Many pieces, and a cluster that runs**: it pays from pieces of {2 * trip * 1000:.0f} ms on, which is two
  trips. A training takes more.
- **Many pieces, and a cluster made for them**: it is ready after {ready:.1f} s. That is made up for by
  {ceil(2 * ready / month)} trainings of a month, or {ceil(2 * ready / year)} of a year.
- **One training**: the machines would have to agree about each split of each tree, {exchanges():,} times. By
  tasks that takes {agree:.1f} s. As much is saved from {_million(share * results["rows"][-1])} flights on,
  {share:.1f} times the year. With fewer, one process is faster. A library whose workers talk directly would agree
  sooner, and would be another model: scikit-learn trains this one in one process.

On one machine the workers share the processors that a training has for itself. {several["trainings"]} trainings
took {several["there"] / several["here"]:.2f} times as long as here. A second machine is what pays.

## What a worker needs

The same commit, the packages of the levels and of `cluster`, and nothing else: it makes the year's data from the
packages, once, in its own `.stage`. It is sent the name of a function and a few words. A worker with other code
is told apart, and its result is refused. Workers with another number of cores give the same probabilities, and at
levels 0 and 1 other names: a model is named by the hash of its pickle, which has the number of threads in it.

```sh
PYTHONPATH=. STAGE=.stage/bench .venv/bin/dask scheduler --host tcp://host:8786 --no-dashboard
PYTHONPATH=. STAGE=.stage/bench .venv/bin/dask worker tcp://host:8786 --nthreads 1 --no-dashboard
```

Whoever reaches a scheduler can run anything on its workers, so it belongs into a network of its own, or behind
Dask's TLS. A worker that is killed costs the time of its piece: another one does it again. The results are the
same to the last digit as those of one process (`tests/test_cluster.py`).
"""


def _million(rows: float) -> str:
    return f"{rows / 1e6:.1f} million"


def main() -> None:
    """Measure, and write both files."""
    results = measure(Year.read())
    write_text(DOCS / "fanout.json", json.dumps(results, indent=1) + "\n")
    write_text(DOCS / "fanout.md", page(results))


if __name__ == "__main__":
    main()
