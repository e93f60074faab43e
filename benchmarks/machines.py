"""What the parts of level 4 need at 1, 3 and 30 machines: measured or arithmetic, and what is full first."""

from dataclasses import dataclass
from math import ceil
from statistics import median
from typing import Any

from shared.markdown import table

Figures = dict[str, Any]
MACHINES = 1, 3, 30
GIGABYTES = 16  # of memory in each
POLLS = 2  # a second, of each replica (SECONDS_BETWEEN_POLLS of serving/rollout.py)
WAITING = "This part waits for `make bench-scale`."
FULL = {
    "the balancer": "a second one, and DNS that names both",
    "the prediction log": "several flights a request, since a request is one append; then a log for each region",
    "the registry": "more processes of MLflow, which has its state in PostgreSQL; or look less often",
}


@dataclass(frozen=True)
class Part:
    """A part of the stage, and how far one of it goes."""

    name: str
    machines: float  # of the application, that fill it
    why: str


def section(replicas: Figures, speed: Figures, board: Figures, per_day: int) -> str:
    """Return the section of docs/scale.md.

    Args:
        replicas: docs/replicas.json.
        speed: docs/speed.json.
        board: docs/scoreboard.json.
        per_day: real flights.
    """
    if "idle_cores" not in replicas.get("replicas", {}).get("3", {}):
        return WAITING
    parts = sorted(_parts(replicas), key=lambda part: part.machines)
    first = parts[0]
    order = [[part.name, f"{part.machines:,.1f}", part.why, FULL[part.name]] for part in parts]
    head = ["part", *(f"{count} machine{'s' * (count > 1)}" for count in MACHINES)]
    lead = f"{first.name[0].upper()}{first.name[1:]} is full first"
    cores = replicas["cores"]
    return f"""A machine here has {cores} cores, as many replicas, and {GIGABYTES} GB. Figures in *italics* are
arithmetic: what was measured on one machine, where all parts share its cores ([replicas](replicas.md)), times what
there would be. Requests carry one flight each.

{table(head, _rows(replicas, speed, board))}

**{lead}**, with {first.machines:.1f} machines of the application. How many machines fill what there is one of,
and what then helps:

{table(["one of", "is full with so many machines", "since", "then take"], order)}

The airports have {per_day:,} flights a day, for which one machine has room. More machines are for one that fails,
and for more models. The one that has PostgreSQL and the bucket is not replaced by another: name servers that are
kept alive elsewhere (`POSTGRES_IMAGE` and `S3_IMAGE` name only how they are made)."""


def rate_of_machine(replicas: Figures) -> float:
    """Return how many requests a second the replicas of a machine answer that have its cores for themselves."""
    return float(replicas["cores"]) * 1000 / float(replicas["replicas"]["3"]["processor_ms"]["replicas"])


def polling(replicas: Figures) -> float:
    """Return the cores that the registry takes for each replica that looks at it."""
    one, three = (float(replicas["replicas"][count]["idle_cores"]["the registry"]) for count in "13")
    return (three - one) / 2


def _parts(replicas: Figures) -> list[Part]:
    took, rate = replicas["replicas"]["3"]["processor_ms"], rate_of_machine(replicas)
    appends, balanced = replicas["log"]["PostgreSQL"]["1"]["3"], replicas["cores"] * 1000 / took["balancer"]
    return [
        Part(
            "the prediction log",
            appends / rate,
            f"it took {appends:,.0f} appends a second, and a machine asks for {rate:,.0f}",
        ),
        Part("the balancer", balanced / rate, f"a request takes {took['balancer']:.2f} ms of it"),
        Part(
            "the registry",
            1 / polling(replicas) / replicas["cores"],
            f"it is one process: a replica that looks {POLLS} times a second takes {polling(replicas):.3f} of it",
        ),
    ]


def _rows(replicas: Figures, speed: Figures, board: Figures) -> list[list[str]]:
    single = median(each["requests_per_second"] for each in speed["servers"]["level 4"]["1 x 8"])
    measured, rate = replicas["replicas"]["3"], rate_of_machine(replicas)
    stage, log = board["levels"]["4"]["cost"]["measured"], replicas["log"]
    each = measured["replicas_mb"] / 3
    fit = GIGABYTES * 1024 // stage["memory_mb"]
    looks = [2 * POLLS, *(POLLS * (replicas["cores"] * count + 1) for count in MACHINES[1:])]  # and staging
    balancers = ceil(rate * MACHINES[-1] * measured["processor_ms"]["balancer"] / 1000 / replicas["cores"])
    return [
        [
            "requests a second: the application",
            f"{single:,.0f}",
            *(_guess(rate * count) for count in MACHINES[1:]),
        ],
        ["its memory, MB", f"{each:,.0f}", *(_guess(each * replicas["cores"] * count) for count in MACHINES[1:])],
        ["balancers", "none", "1", _guess(balancers)],
        [
            "the prediction log, appends a second",
            f"{log['SQLite']['1']['3']:,.0f} in a file",
            *(f"{log['PostgreSQL']['1']['3']:,.0f} in PostgreSQL",) * 2,
        ],
        ["the registry, looks a second", *(_guess(count) for count in looks)],
        ["checks and trainings of one model", "1 at a time", "1 at a time", "1 at a time"],
        ["models, by memory", f"{fit}", *(_guess(fit * count) for count in MACHINES[1:])],
        ["which machine may fail", "none", *("any but that of PostgreSQL and S3",) * 2],
    ]


def _guess(number: float) -> str:
    return f"*{number:,.0f}*"
