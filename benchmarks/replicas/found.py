"""What was found, in words, and what page and picture take from the figures."""

import json
from textwrap import fill
from typing import Any

import numpy as np

from shared.base import ROOT

Figures = dict[str, Any]
REFUSED = "503"
NOT_YET = "not measured yet"
WIDTH = 115


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
    own = took["replicas"]
    first, second, *_ = sorted(took, key=lambda part: -took[part])
    busy = f" All that the machine did kept it {best['busy_percent']} % busy." if "busy_percent" in best else ""
    text = f"""The most is {best["requests_a_second"]:,.0f} requests a second, replicas: {count}.{busy}
A request takes {sum(took.values()):.2f} ms, of which {own:.2f} ms are its replica's; most is taken by {first},
then by {second}. All of them share the processor, so that more replicas do not help where it is full. A part's
time is all that it took meanwhile, also what it does when nobody asks: each replica looks at the registry twice
a second, and workers ask for work."""
    return fill(text, WIDTH)
