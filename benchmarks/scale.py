"""At which traffic which part of level 4 stops serving: watching, joins and training on up to 30 million flights.

Run: `make bench` writes docs/scale.json, docs/scale.md and docs/scale.png, and measures up to a million rows in
minutes. `make bench ROWS=30000000` measures up to that many: it takes hours and 40 GB of disk. Each step runs in
a process of its own; one that needs more than 10 GB of memory or half an hour is ended, and that is its result.
"""

import json
import multiprocessing
import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from matplotlib.figure import Figure

from shared.base import ROOT, WORKSPACES, StageError, write_text
from shared.markdown import table

from .machines import section

ROWS = int(os.environ.get("ROWS") or 1_000_000)  # the largest table to measure
TIMES, DAYS = (1, 10, 100), (10, 100, 300)  # the real traffic; days of the log
YEARS = (100_000, 300_000, 1_000_000, 3_000_000, 10_000_000, 30_000_000)  # flights in the year of a training
PER_DAY = 922  # real flights
MAX_BYTES, MAX_SECONDS = 10e9, 1800.0  # of one step
MACHINE = 16e9  # bytes of memory for which rows are given
IMPORTS = 100e6  # bytes: a difference in memory that is no more says nothing about rows
STAGE = Path(os.environ.get("STAGE", WORKSPACES / "bench")).resolve() / "scale"
DOCUMENT = ROOT / "docs" / "scale.md"
WATCH = ("join", "measure", "report", "observe")  # the parts of it
JOINS = ("join_log", "judge_experiment", "summarize")
TRAINING = ("collect", "join_table", "check_table", "take_snapshot", "fit", "evaluate")
# What each part of a training is for: what everything else is compared with is the fit.
PURPOSES = {
    "fit": ["read", "fit"],
    "collecting and joining": ["collect", "join", "write"],
    "checks": ["check files", "check values", "drift", "check fit"],
    "hashes": ["hash files"],
    "DVC": ["snapshot"],
    "evaluation": ["evaluate"],
    "MLflow": ["log model", "register"],
}
WATCHED = ["traffic", "day", "predictions", *(f"{part}, s" for part in WATCH), "all, s", "GB", "summary, s"]
# A step is a process of its own, forked from one that has imported everything: that takes longer than most steps.
FORKS = multiprocessing.get_context("forkserver")
Result = dict[str, Any]
Point = tuple[float, float, float]  # rows, seconds, bytes


def run(step: str, *numbers: int) -> Result:
    """Run a step in a process of its own; return rows, seconds and bytes, or why it did not come to its end.

    Raises:
        StageError: the step failed.
    """
    print(f"  {step} {' '.join(f'{number:,}' for number in numbers)}", end="", flush=True)
    started, ended = time.monotonic(), ""
    process = FORKS.Process(target=_measure, args=(step, numbers, STAGE))
    process.start()
    try:
        while process.is_alive() and not ended:
            ended = _too_much(process.pid, started)
            process.join(0.05)
    finally:
        if process.is_alive():
            for descendant in psutil.Process(process.pid).children(recursive=True):
                descendant.kill()
            process.kill()
        process.join()
    if process.exitcode and not ended:
        raise StageError(f"{step} failed: {(STAGE / 'step.log').read_text()[-2000:]}")
    print(f": {ended or f'{time.monotonic() - started:.0f} s'}", flush=True)
    return {"ended": ended} if ended else dict(json.loads((STAGE / "step.json").read_text()))


def _measure(*arguments: Any) -> None:
    """Run a step in the process that is its own: only there does the level know the stage."""
    from . import scale_steps

    scale_steps.measure_step(*arguments)


def _too_much(pid: int | None, started: float) -> str:
    """Return the limit that a step has reached, if any."""
    try:
        if psutil.Process(pid).memory_info().rss > MAX_BYTES:
            return f"more than {MAX_BYTES / 1e9:.0f} GB"
    except psutil.NoSuchProcess:
        return ""
    return f"more than {MAX_SECONDS / 60:.0f} minutes" if time.monotonic() > started + MAX_SECONDS else ""


def prepare() -> None:
    """Make the stage, and name it to the steps."""
    STAGE.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "STAGE": str(STAGE),
        "MLFLOW_TRACKING_URI": f"sqlite:///{STAGE}/mlflow.db",
        "MLFLOW_EXPERIMENT_NAME": "training",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        **{f"DVC_{name}_DIR": str(STAGE / "dvc") for name in ("GLOBAL_CONFIG", "SITE_CACHE", "SYSTEM_CONFIG")},
        "DVC_NO_ANALYTICS": "1",
    }
    FORKS.set_forkserver_preload(["benchmarks.scale_steps"])


def watching(results: Result) -> None:
    """Measure watching, joins and the A/B test on logs of more and more days, at more and more traffic."""
    for times in TIMES:
        remove(
            "predictions.db", "predictions.db-wal", "predictions.db-shm", "metrics.db", "data", "runs", "evidently"
        )
        logged = 0
        for days in (days for days in DAYS if times * days * PER_DAY <= max(ROWS, DAYS[0] * PER_DAY)):
            run("live_on", times, logged + 1, days)
            logged, point = days, {"times": times, "days": days, "summarize": run("summarize")}
            results["watching"].append(point)
            for step in ("watch", "join_log", "judge_experiment"):
                point[step] = run(step, days)
                write(results)


def training(results: Result) -> None:
    """Measure the steps of trainings on years of more and more flights, until one does not come to its end."""
    results["Prefect"] = run("orchestrate")
    for flights in (flights for flights in YEARS if flights <= max(ROWS, YEARS[0])):
        remove("drop", "data", "trained", "snapshots", "remote")
        run("drop_year", flights)
        point: Result = {"flights": flights}
        results["training"].append(point)
        for step in TRAINING:
            point[step] = run(step)
            write(results)
            if "ended" in point[step]:
                return


def remove(*names: str) -> None:
    """Remove files and folders of the stage."""
    for name in names:
        if (STAGE / name).is_dir():
            shutil.rmtree(STAGE / name)
        (STAGE / name).unlink(missing_ok=True)


def exponent(points: list[Point]) -> float | None:
    """Return the exponent of the seconds against the rows, from 100,000 rows on: below, constant costs hide it."""
    large = [(rows, seconds) for rows, seconds, _ in points if rows >= 1e5]
    if len({rows for rows, _ in large}) < 2:
        return None
    log_rows, log_seconds = np.log(large).T
    return float(np.polyfit(log_rows, log_seconds, 1)[0])


def by_part(points: list[Result], steps: tuple[str, ...]) -> dict[str, list[Point]]:
    """Return the rows, the seconds of processor time and the peak of bytes at each point, by part."""
    parts: dict[str, list[Point]] = {}
    for point in points:
        for step in steps:
            measured = point.get(step, {})
            for part, (seconds, _) in measured.get("seconds", {}).items():
                rows = point.get("flights", measured["rows"])
                parts.setdefault(part, []).append((rows, seconds, measured["bytes"]))
    return parts


def fitting(points: list[Point]) -> float | None:
    """Return how many rows fit into the memory of a machine, extrapolated; None if the memory hardly grows."""
    (first, _, least), (rows, _, most) = min(points), max(points)
    if most - least < IMPORTS:
        return None
    return rows + (MACHINE - most) * (rows - first) / (most - least)


def line_of(part: str, points: list[Point]) -> list[str]:
    """Return what a part costs at its largest point, and how many rows fit into the memory of a machine."""
    rows, seconds, most = max(points)
    power, fits = exponent(points), fitting(points)
    return [
        part,
        f"{rows:,.0f}",
        f"{seconds:.2f}",
        f"{1e6 * seconds / rows:.2f}",
        "" if power is None else f"{power:.2f}",
        f"{most / 1e9:.2f}",
        "" if fits is None else f"{fits / 1e6:,.1f}",
    ]


LINES = ["part", "rows", "s", "µs a row", "exponent", "GB", f"million rows in {MACHINE / 1e9:.0f} GB"]
LIMITS = [  # what is held at once; the steps that hold it, real flights in it, and what to take beyond
    (
        "watching: a week of predictions",
        ("watch", "join_log"),
        7 * PER_DAY,
        "measure each day once it is over and keep its metrics; then a database that joins and aggregates",
    ),
    (
        "A/B test: 28 days, its half of the flights",
        ("judge_experiment",),
        28 * PER_DAY / 2,
        "let the database join, and keep sums by flight number and day: the verdict needs no more",
    ),
    (
        "summary of a training table: a year",
        ("summarize",),
        365 * PER_DAY,
        "a column store that computes quantiles and daily means, such as DuckDB on the same Parquet file",
    ),
    (
        "training: a year of flights",
        TRAINING,
        365 * PER_DAY,
        "train on a sample of the flights, or on the model's own columns as 32-bit numbers; then a larger machine",
    ),
]


def limit_rows(results: Result) -> list[list[str]]:
    """Return a row for each table that is held in memory: how many times the real traffic fits."""
    points = results["watching"] + results["training"]
    rows = []
    for name, steps, real, then in LIMITS:
        fits = [fitting(measured) for measured in by_part(points, steps).values() if len(measured) > 1]
        if smallest := min((rows_ for rows_ in fits if rows_), default=None):
            rows.append([name, f"{smallest / 1e6:,.1f}", f"{smallest / real:,.0f}", then])
    return rows


def watch_rows(points: list[Result]) -> list[list[str]]:
    """Return a row for each log that was watched for a day."""
    rows = []
    for point in points:
        if "seconds" not in (measured := point.get("watch", {})):
            continue
        parts = {part: seconds for part, (seconds, _) in measured["seconds"].items()}
        rows.append(
            [
                f"{point['times']} times",
                str(point["days"]),
                f"{measured['rows']:,}",
                *(f"{parts[part]:.2f}" for part in WATCH),
                f"{sum(parts.values()):.2f}",
                f"{measured['bytes'] / 1e9:.2f}",
                f"{point['summarize']['seconds']['summarize'][0]:.2f}",
            ]
        )
    return rows


def ratio(points: list[Result], times: int) -> float | None:
    """Return how many times what a day costs with the shortest log it costs with the longest."""
    costs = [
        sum(seconds for seconds, _ in point["watch"]["seconds"].values())
        for point in points
        if point["times"] == times and "seconds" in point.get("watch", {})
    ]
    return costs[-1] / costs[0] if len(costs) > 1 else None


def training_rows(points: list[Result], prefect: Result) -> list[list[str]]:
    """Return a row for each size of training: what each purpose takes, and how often that of the bare fit."""
    rows = []
    for point in points:
        seconds = {
            part: processor
            for step in TRAINING
            for part, (processor, _) in point.get(step, {}).get("seconds", {}).items()
        }
        if "fit" not in seconds:
            continue
        fit = sum(seconds[part] for part in PURPOSES["fit"])
        costs = {purpose: sum(seconds.get(part, 0) for part in parts) for purpose, parts in PURPOSES.items()} | {
            "Prefect": prefect["seconds"]["Prefect"][1]
        }
        cells = [f"{cost:.1f} ({cost / fit:.2f})" for purpose, cost in costs.items() if purpose != "fit"]
        rows.append([f"{point['flights']:,}", f"{fit:.1f}", *cells])
    return rows


def flights_of(point: Result) -> int:
    """Return how many flights a point is about."""
    return int(point.get("flights") or point["times"] * point["days"] * PER_DAY)


def ends(results: Result) -> str:
    """Return which steps did not come to their end, as a list."""
    lines = [
        f"- {step} of {flights_of(point):,} flights: {measured['ended']}"
        for point in results["watching"] + results["training"]
        for step, measured in point.items()
        if isinstance(measured, dict) and "ended" in measured
    ]
    return "\n".join(lines) or "- none"


def figures_of(name: str) -> Result:
    """Return the figures of another page; none, if it has not been measured."""
    path = ROOT / "docs" / f"{name}.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def report(results: Result) -> str:
    """Return the document."""
    points, trained = results["watching"], results["training"]
    ratios = {times: ratio(points, times) for times in TIMES}
    told = ", ".join(f"{value:.2f} at {times} times the traffic" for times, value in ratios.items() if value)
    limits = table(["what is held", "million rows", "times the real traffic", "then take"], limit_rows(results))
    return f"""# How far level 4 goes

Written by `make bench`: up to {results["rows"]:,} flights, the real ones of each day ({PER_DAY} on average)
drawn as often as the traffic asks for, on {results["processors"]} processors and {results["memory"] / 1e9:.0f} GB.
Each step is a process of its own. Seconds are of processor time, since the machine may have other work;
[scale.json](scale.json) has the time by the clock too. Memory is the peak of the process, imports included.

## Where the line is

Memory ends it before time does, because tables are held whole. So much fits into {MACHINE / 1e9:.0f} GB,
extrapolated from the smallest and the largest table that was measured:

{limits}

Steps that were ended, at {MAX_BYTES / 1e9:.0f} GB or {MAX_SECONDS / 60:.0f} minutes:

{ends(results)}

The prediction log is one SQLite file that one machine writes. When several machines answer, it is in PostgreSQL.

![time and memory against rows](scale.png)

## At 1, 3 and 30 machines

{section(figures_of("replicas"), figures_of("speed"), figures_of("scoreboard"), PER_DAY)}

## Watching a day

The daily check after 10, 100 and 300 days, with as many reports, by a champion that was trained on all of them.
A day must cost the same however long the log is. The last of these days costs this many times the first:
{told or "not measured"}.

{table(WATCHED, watch_rows(points))}

The summary of the training data is made once for each version, on its first day.

{table(LINES, [line_of(part, measured) for part, measured in by_part(points, ("watch",)).items()])}

## Joins, features and metrics

The whole log as one day, the A/B test since the first day of the log, and the summary of a training table:

{table(LINES, [line_of(part, measured) for part, measured in by_part(points, JOINS).items()])}

## Training

Every part of the training pipeline on a year of flights; the memory is that of its step, which holds the table:

{table(LINES, [line_of(part, measured) for part, measured in by_part(trained, TRAINING).items()])}

What each purpose takes in seconds, and in brackets as a multiple of the bare fit, which reads the table and fits
the model. Prefect's is the time by the clock of as many tasks that do nothing:

{table(["flights", *PURPOSES, "Prefect"], training_rows(trained, results["Prefect"]))}
"""


def draw(results: Result) -> Figure:
    """Draw processor time and memory against rows."""
    figure = Figure(figsize=(10, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    parts = by_part(results["watching"], ("join_log", "judge_experiment"))
    parts |= by_part(results["training"], ("join_table", "check_table", "take_snapshot", "fit"))
    for n, (part, points) in enumerate(parts.items()):
        rows, seconds, peak = zip(*sorted(points), strict=True)
        style = "o-" if n < 10 else "s--"
        left.plot(rows, seconds, style, markersize=3, label=part)
        right.plot(rows, [value / 1e9 for value in peak], style, markersize=3)
    left.set(xscale="log", yscale="log", xlabel="rows", ylabel="s of processor time", title="Time")
    right.set(xscale="log", yscale="log", xlabel="rows", ylabel="GB", title="Peak of memory")
    figure.legend(loc="outside right center", fontsize=7)
    return figure


def write(results: Result) -> None:
    """Write down what has been measured so far."""
    write_text(ROOT / "docs" / "scale.json", json.dumps(results, indent=1) + "\n")


def main() -> None:
    """Measure, and write the documents."""
    machine = {"processors": os.cpu_count(), "memory": psutil.virtual_memory().total}
    results: Result = {"rows": ROWS, **machine, "watching": [], "training": [], "Prefect": {}}
    shutil.rmtree(STAGE, ignore_errors=True)
    prepare()
    run("make_models")
    run("log_real_flights")
    watching(results)
    training(results)
    publish(results)
    remove("predictions.db", "drop", "data", "trained", "snapshots", "remote", "runs", "evidently")


def publish(results: Result) -> None:
    """Write the document and its picture."""
    write_text(DOCUMENT, report(results))
    draw(results).savefig(ROOT / "docs" / "scale.png", dpi=110)
    print(f"wrote {DOCUMENT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
