"""docs/kubernetes.md: when to use Kubernetes and when not, by our own figures."""

import json
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import Any

from ..base import ROOT, StageError, write_text
from ..markdown import table
from .manifests import REPLICAS, VERSION, build_command, path_of, problems, render, with_replicas

PAGE = Path("docs/kubernetes.md")
WAITING = "waiting for `make bench-scale`"
GIGABYTES = 16  # of the machine that is reckoned with, as in docs/scale.md
LEVEL = "level4_full"
SECONDS_A_DAY = 86_400
AIEDGE = "https://newsletter.theaiedge.io/p/the-aiedge-the-different-maturity"
Figures = dict[str, Any]


def read(name: str) -> Figures:
    """Return the figures of a page; none if it has not been measured."""
    path = ROOT / "docs" / f"{name}.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def page(speed: Figures, board: Figures, endurance: Figures, replicas: Figures) -> str:
    """Return the page.

    Args:
        speed: docs/speed.json.
        board: docs/scoreboard.json.
        endurance: docs/endurance.json.
        replicas: what `make bench-scale` has measured; nothing before.
    """
    single, hundred = (_median(speed, case, "requests_per_second") for case in ("1 x 8", "100 x 8"))
    milliseconds = _median(speed, "1 x 8", "processor_ms")
    flights = endurance["acknowledged"] / endurance["days"]
    stage = board["levels"]["4"]["cost"]["measured"]
    fit = GIGABYTES * 1024 // stage["memory_mb"]
    links = " and ".join(f"[{path.name}]({path.relative_to('docs')})" for path in map(path_of, with_replicas()))
    return f"""# Kubernetes: when to use it, and when not

Written by `make kubernetes`; the figures are those of [speed](speed.md), [endurance](endurance.md), the
[scoreboard](scoreboard.md) and [replicas](replicas.md), on a machine of {speed["cores"]} cores. The manifests,
{links}, are **validated and not run**.

## The short answer

{table(["", "one machine", "two or three machines, Swarm", "Kubernetes"], _answer(single, fit, replicas))}

The first two rows are half of what was measured, and so leave room for a release and for a bad day; the others
are our judgement. The rightmost column that you need in any row is yours, with two exceptions:

- A cluster that others run for you already costs you little: take it, with these manifests.
- A cluster that nobody has the time to run costs more than it brings, whatever the other rows say.

## Requests a second

One process of level 4 answers {single:,.0f} requests a second of one flight, or {hundred:,.0f} that carry a
hundred flights each. That is {single * SECONDS_A_DAY / 1e6:,.0f} million flights a day at one flight a request.
The airports of this project have {flights:,.0f}. Load gives them no reason for a second process.

A request takes {milliseconds:.2f} ms of processor time, so at that rate a process fills
{single * milliseconds / 1000:.2f} of a core. The processor is full first, and not the memory. Replicas help until
the prediction log is full, which all of them write.

{table(["way", "requests a second", "memory, MB", "release, s"], _ways(single, replicas))}

All replicas share the cores of one machine with the balancer and PostgreSQL, and so do both nodes: this is what
replicas cost. What more machines would bring is arithmetic, in [how far level 4 goes](scale.md).

The manifests have no HorizontalPodAutoscaler, since no figure asks for one. The processor would be the right
signal: `kubectl autoscale deployment app --cpu-percent=70 --min={REPLICAS} --max=6`.

## Models

A whole stage of level 4 takes {stage["memory_mb"]:,} MB in {stage["processes"]} processes after a year. A machine
of {GIGABYTES} GB holds {fit} such stages. Models fill the memory long before callers fill the processor.

With more models than one machine holds, something has to decide which runs where. Swarm does that too, and is
enough as long as one team places all of them.

## People and teams

We have no figure for an hour of somebody's work. We can count what somebody has to read, keep and upgrade:

{table(["way", "files", "lines"], _files())}

The manifests are for the application alone. These lines leave out the cluster: its upgrades, network, storage,
access rights and registry of images. They are more work than all of the lines above, and they never end.

In return, several teams can share machines without getting into each other's way: namespaces, quotas and rights
are what Kubernetes has and Swarm lacks. One team gains nothing from them.

## What AiEdge advises

[The article][aiedge] asks for care: the number of users and the complexity of the team should decide whether
models belong on Kubernetes. Its open part says no more about it; its section about Kubernetes is not free, and
was not read.

Our figures agree with the second. They give the first a number: users decide at about {single:,.0f} requests a
second for each process, which is late. They add a third, the number of models.

## What the manifests say

They are made from the `compose.yaml` and the `Dockerfile` of their level, so that every engine runs the same
container: image, environment, user, memory, read-only file system, no capabilities. `make check` fails while they
are stale, or while the published schemas of Kubernetes {VERSION} refuse them; an unknown name is refused too. A
schema cannot tell whether an image is there or a name leads anywhere.

- **Deployment**: {REPLICAS} replicas, on different nodes where possible. A new one is ready before an old one
  stops. Each follows the registry by itself, and fetches packages into a folder of its own.
- **Service**: the balancer. It spreads connections and not requests: a client that keeps its connection stays
  with its replica. The answers are the same, since a hash decides which arm a flight gets.
- **Probes**: `/livez` says that the process lives, `/readyz` that a request would be answered and logged. Without
  the prediction log no pod is ready, and callers get no connection where they would get a 503 elsewhere.
- **PodDisruptionBudget**: whoever drains nodes takes one replica at a time.
- **Image**: that of compose with a driver for the prediction log, which is on a server here. `REGISTRY` and
  `REVISION` are those that the manifests are filled with. In the checkout of that commit:

```sh
{build_command(LEVEL)}
```

- **Secret**: a name without values, for the password of the prediction log. The file says how to make it.

Registry, orchestration, pipelines and PostgreSQL are not in the manifests. They can stay where they are, as long
as their names lead there.

[aiedge]: {AIEDGE}
"""


def _median(speed: Figures, case: str, what: str) -> float:
    return median(measured[what] for measured in speed["servers"][f"level {LEVEL[5]}"][case])


def _answer(single: float, fit: int, replicas: Figures) -> list[list[str]]:
    """Return what each way is for, by what there is of each thing."""
    appends = replicas["log"]["PostgreSQL"]["1"]["3"] if "log" in replicas else None
    log = f"up to {appends / 2:,.0f}: the prediction log takes no more" if appends else WAITING
    return [
        ["requests a second", f"up to {single / 2:,.0f}", log, "as many: it is the same log"],
        ["models", f"up to {max(fit // 2, 1)}", f"up to {3 * max(fit // 2, 1)}", "more"],
        ["which machine may fail", "none", "any but that of PostgreSQL and S3", "any, if state is elsewhere"],
        ["people", "somebody, now and then", "somebody who can be called", "a team whose job it is"],
        ["teams that release", "one", "one", "several"],
    ]


def _measured(replicas: Figures, kind: str, count: str) -> Figures:
    return dict(replicas.get(kind, {}).get(count, {}))


def _ways(single: float, replicas: Figures) -> list[list[str]]:
    """Return what each way carries and costs, as far as it was measured."""
    ways = {f"replicas on one machine: {count}": ("replicas", count) for count in "123"}
    ways["replicas on two nodes: 3"] = "nodes", "2"
    rows = [["one process, without a balancer", f"{single:,.0f}", "", ""]]
    for way, which in ways.items():
        measured = _measured(replicas, *which)
        figures = [measured.get(what) for what in ("requests_a_second", "memory_mb", "release_seconds")]
        shown = ["" if figure is None else f"{figure:,.0f}" for figure in figures]
        rows.append([way, *(shown if measured else [WAITING, "", ""])])
    return [*rows, ["Kubernetes", *["not run"] * 3]]


def _files() -> list[list[str]]:
    """Return how many files and lines each way needs beside the level's code."""
    as_processes, as_containers = ("supervisord.conf", "stage.yaml"), ("compose.yaml", "Dockerfile")
    overlay = [
        path.name for path in (ROOT / LEVEL).iterdir() if "scale" in path.name or path.name == "haproxy.cfg"
    ]
    ways = {
        "processes": _lines(as_processes),
        "containers": _lines(as_containers),
        **({"containers and Swarm": _lines((*as_containers, *overlay))} if overlay else {}),
        "Kubernetes, the application alone": [*_lines(("Dockerfile",)), len(render(LEVEL).splitlines())],
    }
    return [[way, str(len(lines)), str(sum(lines))] for way, lines in ways.items()]


def _lines(names: Iterable[str]) -> list[int]:
    """Return the lines of each of these files of the level."""
    return [len((ROOT / LEVEL / name).read_text().splitlines()) for name in names]


def files() -> dict[Path, str]:
    """Return every file that `make kubernetes` writes, the manifests first."""
    written = {path_of(level): render(level) for level in with_replicas()}
    return written | {PAGE: page(*map(read, ("speed", "scoreboard", "endurance", "replicas")))}


def write() -> list[Path]:
    """Write the manifests and the page.

    Raises:
        StageError: the published schemas refuse a manifest; nothing is written.
    """
    texts = files()
    if found := [problem for path, text in texts.items() if path != PAGE for problem in problems(text)]:
        raise StageError("\n".join(found))
    for path, text in texts.items():
        write_text(ROOT / path, text)
    return list(texts)
