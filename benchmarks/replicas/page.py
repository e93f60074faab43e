"""The page of docs/replicas.json."""

from textwrap import fill

from shared.markdown import table

from .found import (
    REFUSED,
    WIDTH,
    Figures,
    ceiling,
    found_log,
    found_speed,
    found_troubles,
    one_process,
    parts,
    troubles,
    unexpected,
    ways,
)


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
