"""The page and the picture of docs/replicas.json."""

import json
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from shared.base import ROOT
from shared.markdown import table

Figures = dict[str, Any]
REFUSED = "503"
NOT_YET = "not measured yet"
WIDTH = 115
COLORS = "#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377", "#bbbbbb"


def ways(figures: Figures) -> dict[str, Figures]:
    """Return what was measured of each count of replicas, and of two nodes, by a name for people."""
    named = {f"{count} on one node": measured for count, measured in figures.get("replicas", {}).items()}
    nodes = figures.get("nodes", {}).get("2")
    return named | ({f"{sum(nodes['replicas'])} on two nodes": nodes} if nodes else {})


def troubles(figures: Figures) -> list[tuple[str, str, Figures]]:
    """Return level, trouble and what clients noticed, level by level."""
    by_level = sorted(figures.get("troubles", {}).items())
    return [(level, trouble, noticed) for level, all_of_it in by_level for trouble, noticed in all_of_it.items()]


def unexpected(noticed: Figures) -> int:
    """Return how many requests failed other than by a refusal with 503."""
    return sum(count for kind, count in noticed["failed"].items() if kind != REFUSED)


def one_process() -> float:
    """Return the requests a second of one process of level 4 without a balancer, from docs/speed.json."""
    speed = json.loads((ROOT / "docs" / "speed.json").read_text())
    return float(np.median([each["requests_per_second"] for each in speed["servers"]["level 4"]["1 x 8"]]))


def draw(figures: Figures) -> Figure:
    """Draw the rates, and which part takes how much of the processor."""
    figure, measured = Figure(figsize=(10, 3.6), layout="constrained"), ways(figures)
    rates, shares = figure.subplots(1, 2, sharey=True)
    names = list(measured)[::-1]
    rates.barh(names, [measured[name]["requests_a_second"] for name in names], color=COLORS[0])
    rates.axvline(one_process(), color="#333333", linestyle="--", label="one process, no balancer")
    rates.set(title="one flight a request, 8 clients", xlabel="requests a second")
    rates.legend(loc="lower right", fontsize="small")
    left = np.zeros(len(names))
    for part, color in zip(parts(figures), COLORS, strict=False):
        took = np.array([measured[name]["processor_ms"].get(part, 0.0) for name in names])
        shares.barh(names, took, left=left, color=color, label=part)
        left += took
    shares.set(title="processor time of a request", xlabel="ms")
    if names:
        figure.legend(*shares.get_legend_handles_labels(), loc="outside right upper", fontsize="small")
    for axes in (rates, shares):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def parts(figures: Figures) -> list[str]:
    """Return the parts that share the processor, those that take most first."""
    took: dict[str, float] = {}
    for measured in ways(figures).values():
        for part, milliseconds in measured["processor_ms"].items():
            took[part] = max(took.get(part, 0.0), milliseconds)
    return sorted(took, key=lambda part: -took[part])


def found_speed(figures: Figures) -> str:
    """Say in a line what replicas did to the rate."""
    replicas = figures.get("replicas", {})
    if not {"1", "3"} <= set(replicas):
        return f"Requests a second: {NOT_YET}."
    one, three = (replicas[count]["requests_a_second"] for count in "13")
    return (
        f"Three replicas on a machine of {figures['cores']} cores answer {three:,.0f} requests a second, one "
        f"{one:,.0f}, and one process without a balancer {one_process():,.0f}."
    )


def found_troubles(figures: Figures) -> str:
    """Say in a line what clients noticed of all troubles."""
    noticed = [noticed for _, _, noticed in troubles(figures)]
    if not noticed:
        return f"Troubles: {NOT_YET}."
    answered, failed, missing = (
        sum(of) for of in zip(*((n["answered"], unexpected(n), n["missing"]) for n in noticed), strict=True)
    )
    refused = sum(each["failed"].get(REFUSED, 0) for each in noticed)
    return (
        f"In {len(noticed)} troubles {answered:,} requests were answered. {refused:,} were refused with 503, "
        f"{failed:,} failed otherwise, and {missing:,} answers are missing in the log."
    )


def found_log(figures: Figures) -> str:
    """Say in a line where the log ends."""
    log = figures.get("log", {})
    try:
        server, file = (log[name]["1"]["3"] for name in ("PostgreSQL", "SQLite"))
    except KeyError:
        return f"The log: {NOT_YET}."
    return f"The log takes {server:,.0f} writes a second from three writers on PostgreSQL, {file:,.0f} in a file."


def ceiling(figures: Figures) -> str:
    """Say where the ceiling is, and what it is."""
    replicas = figures.get("replicas", {})
    if not replicas:
        return f"The processor: {NOT_YET}."
    count, best = max(replicas.items(), key=lambda item: item[1]["requests_a_second"])
    took = best["processor_ms"]
    cores, own = sum(took.values()) * best["requests_a_second"] / 1000, took["replicas"]
    first, second, *_ = sorted(took, key=lambda part: -took[part])
    busy = f" All that the machine did kept it {best['busy_percent']} % busy." if "busy_percent" in best else ""
    text = f"""The most is {best["requests_a_second"]:,.0f} requests a second, replicas: {count}. The parts then
take {cores:.2f} of {figures["cores"]} cores by their own accounts, without the kernel and the engine.{busy}
A request takes {sum(took.values()):.2f} ms, of which {own:.2f} ms are its replica's; most is taken by {first},
then by {second}. All of them share the processor, so that more replicas do not help where it is full. The
rest of the stage works whether somebody asks or not: each replica looks at the registry twice a second, and
workers ask for work."""
    return fill(text, WIDTH)


def rows_of_ways(figures: Figures) -> list[list[str]]:
    """Return a row for each way to run replicas."""
    return [
        [
            name,
            f"{measured['requests_a_second']:,.0f}",
            f"{measured['hundred']['requests_a_second']:,.0f}",
            f"{measured['p99_ms']:.0f}",
            f"{measured['replicas_mb']:,}",
            " + ".join(f"{node:,}" for node in measured["memory_mb_of_nodes"]),
            f"{measured['release_seconds']:.0f}",
            "{new:.1f} / {known:.1f}".format(**measured["model_seconds"]) if "model_seconds" in measured else "",
        ]
        for name, measured in ways(figures).items()
    ]


def rows_of_troubles(figures: Figures) -> list[list[str]]:
    """Return a row for each trouble at each level."""
    return [
        [
            level,
            trouble,
            f"{noticed['answered']:,}",
            f"{noticed['failed'].get(REFUSED, 0):,}",
            f"{unexpected(noticed):,}",
            f"{noticed['missing']:,}",
            f"{noticed['seconds']:.0f}",
            f"{noticed['slowest_answer']:.1f}",
            f"{noticed['longest_gap']:.1f}",
        ]
        for level, trouble, noticed in troubles(figures)
    ]


def outages(figures: Figures) -> str:
    """Say when answers came again after the log had been away."""
    came = [
        f"{noticed['answers_after_return_seconds']:.1f} s at {level}"
        for level, _, noticed in troubles(figures)
        if "answers_after_return_seconds" in noticed
    ]
    return f"The first answer came so long after PostgreSQL ran again: {', '.join(came)}." if came else ""


def page(figures: Figures) -> str:
    """Return docs/replicas.md."""
    head = ["replicas", "1 flight, a second", "100 flights", "p99, ms", "replicas, MB", "stage, MB"]
    head += ["application, s", "model, s"]
    share = [
        [part, *(f"{measured['processor_ms'].get(part, 0.0):.2f}" for measured in ways(figures).values())]
        for part in parts(figures)
    ]
    appends = [
        [database, size, writers, f"{rate:,.0f}", f"{rate * int(size):,.0f}"]
        for database, by_size in figures.get("log", {}).items()
        for size, by_writers in by_size.items()
        for writers, rate in by_writers.items()
    ]
    noticed = ["level", "trouble", "answered", "503", "failed", "missing", "seconds", "slowest, s", "gap, s"]
    says = (found_speed, found_troubles, found_log)
    found = "\n".join(fill(f"- {say(figures)}", WIDTH, subsequent_indent="  ") for say in says)
    return f"""# Replicas

{found}

Written by `make bench-scale` (benchmarks/replicas), on a shared machine of {figures.get("cores", 2)} cores:
level 4 in a Docker Swarm, with client, balancer, replicas and PostgreSQL on the same cores. `PART=speed`, `log`,
`troubles` or `nodes` measures a part alone; the others stay as they are.

![requests a second, and what takes the processor](replicas.png)

## Speed and cost

Eight clients of Locust ask as soon as they are answered, for a few seconds and at most 10,000 times; medians of
the rounds. One process without a balancer answers {one_process():,.0f} of one flight ([speed](speed.md)).

{table(head, rows_of_ways(figures))}

Memory is without what the engine merely keeps cached. On two nodes, both are engines of this one machine: there
are twice the servers to run, and not twice the processor. "Application" is `deploy` of a commit whose images are
built already: its tests run in the image, then replicas are replaced one by one, and staging, worker and pipeline.
"Model" is from the registry's change until all replicas answer with it: one that they have yet to fetch, and one
that they have.

Processor time of a request of one flight, in ms:

{table(["part", *ways(figures)], share)}

{ceiling(figures)}

## The prediction log

Appends by processes of their own, over connections that are kept, with the level's own
`serving/prediction_log.py`; an append is one transaction.

{table(["database", "predictions an append", "writers", "appends a second", "predictions a second"], appends)}

PostgreSQL has an append on the disk before it confirms it. The file of SQLite survives the death of a process, but
may lose the last appends when the machine dies.

## Troubles

Eight clients ask about one flight after another with three replicas, until the trouble is over and 10,000
requests are answered. Who is not answered waits a tenth of a second before the next request. "Missing" are flights
that were answered and are not in the log; "gap" is the longest time in which nobody was answered.

{table(noticed, rows_of_troubles(figures))}

{outages(figures)}
"""
