"""The page and the picture of docs/speed.json."""

from typing import Any

import numpy as np
from matplotlib.figure import Figure

from shared.markdown import table

FLOOR, USUAL = "empty endpoint", "mlflow models serve"
OURS, PEERS = "#4477aa", "#bbbbbb"


def rounds(results: dict[str, Any], server: str, case: str, what: str = "requests_per_second") -> np.ndarray:
    """Return one figure of a server under a load, round by round."""
    return np.array([measured[what] for measured in results["servers"][server][case]])


def ratio(results: dict[str, Any], server: str, other: str, case: str) -> str:
    """Return the rate of a server as a multiple of another's: the median of the rounds, lowest and highest."""
    if other not in results["servers"]:
        return "-"
    ratios = rounds(results, server, case) / rounds(results, other, case)
    return f"{np.median(ratios):.2f} ({ratios.min():.2f} to {ratios.max():.2f})"


def refusals(results: dict[str, Any]) -> str:
    """Say which servers refused requests, and at most how many."""
    most = {
        name: max(float(rounds(results, name, case, "refused").max()) for case in loads)
        for name, loads in results["servers"].items()
    }
    told = [f"{name} refused up to {share:.0%} of the requests" for name, share in most.items() if share]
    return f"These are of the requests that were answered. {'; '.join(told) or 'No server refused any'}."


def draw(results: dict[str, Any]) -> Figure:
    """Draw the rates of all servers with eight clients: one flight a request, and a hundred."""
    figure = Figure(figsize=(10, 4.6), layout="constrained")
    names = list(results["servers"])[::-1]
    for axes, case in zip(figure.subplots(1, 2, sharey=True), ("1 x 8", "100 x 8"), strict=True):
        for row, name in enumerate(names):
            rates = rounds(results, name, case)
            color = OURS if name.startswith("level") else PEERS
            axes.barh(row, np.median(rates), color=color)
            axes.plot([rates.min(), rates.max()], [row, row], color="#333333", linewidth=1.5)
        axes.set_yticks(range(len(names)), names)
        axes.set(xscale="log", xlim=(10, None), xlabel="requests a second, and their range")
        axes.set_title(f"{case.split()[0]} flight{'s' if case[1] != ' ' else ''} a request, 8 clients")
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def page(results: dict[str, Any]) -> str:
    """Return docs/speed.md."""
    names = list(results["servers"])
    loads = list(results["servers"][names[0]])
    rates = [[name, *(f"{np.median(rounds(results, name, case)):,.0f}" for case in loads)] for name in names]
    latency = [
        [name, *(f"{np.median(rounds(results, name, case, 'p99_ms')):,.1f}" for case in loads)] for name in names
    ]
    cost = [
        [name, *(f"{np.median(rounds(results, name, case, 'processor_ms')):,.2f}" for case in loads)]
        for name in names
        if "workers" not in name  # which share a socket: whose it is says nothing about the others
    ]
    compared = [
        [name, *(ratio(results, name, other, case) for other in (USUAL, FLOOR) for case in ("1 x 1", "1 x 8"))]
        for name in names
        if name not in (USUAL, FLOOR)
    ]
    days = [
        [
            name,
            *(
                f"{np.median([measured[what] for measured in cases['966 x 1']]):.1f}"
                for what in ("p50_ms", "p99_ms")
            ),
        ]
        for name, cases in results["whole day"].items()
    ]
    (_two, with_log), (_one, without) = results["arms"].items()
    arms = [[case, _of_rounds(with_log[case], without[case])] for case in with_log]
    swap = results["swap"]
    left_out = "".join(f"\nLeft out: {reason}.\n" for reason in results["left out"])
    head = ["server", *loads]
    return f"""# How fast the levels answer

Written by `make bench` (benchmarks/speed.py): all servers at once on one machine of {results["cores"]} cores,
asked in turns by clients that ask as soon as they are answered (Locust, a process of its own on the same cores);
{results["rounds"]} rounds of {results["seconds"]:.0f} s each. Seconds say little about another machine; ratios do.
"100 x 8" is a hundred flights a request, and eight clients.
{left_out}
![requests a second of every server, with eight clients](speed.png)

Levels 1 and 2 answer with scikit-learn and pandas, levels 3 and 4 with ONNX Runtime and NumPy; these log every
prediction before they answer. `mlflow models serve`, the bare endpoint and BentoML's own endpoints log nothing,
and none of them routes. The empty endpoint is the floor: the same server, with nothing to do.

Times the rate of `{USUAL}`, and of the {FLOOR} (median of the rounds, lowest and highest):

{table(["server", f"{USUAL}, 1 x 1", "1 x 8", f"{FLOOR}, 1 x 1", "1 x 8"], compared)}

Requests a second:

{table(head, rates)}

The slowest of a hundred requests (p99), in ms:

{table(head, latency)}

{refusals(results)}

Processor time of the server, in ms a request, which other work on the machine changes least:

{table(head, cost)}

A whole day of 966 flights in one request, in ms:

{table(["server", "median", "p99"], days)}

Level 3 with two arms and its log, as a multiple of its own staging service, which has one arm and no log:

{table(["flights x clients", "rate"], arms)}

Level 3 while its champion is replaced every second and a half, one flight a request, eight clients: p99
{swap["swapped"]["p99_ms"]:.1f} ms, {swap["swapped"]["p99_ms"] / swap["as it is"]["p99_ms"]:.2f} times the
{swap["as it is"]["p99_ms"]:.1f} ms without; no request failed.
"""


def _of_rounds(one: list[dict[str, float]], other: list[dict[str, float]]) -> str:
    ratios = [a["requests_per_second"] / b["requests_per_second"] for a, b in zip(one, other, strict=True)]
    return f"{np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
