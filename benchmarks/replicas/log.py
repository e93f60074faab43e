"""How often a second predictions can be logged: in the swarm's PostgreSQL, and in a file of SQLite beside it."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from shared import base
from shared.stack.swarm import SwarmStage
from shared.world.dataset import load_year

from ..swarms import in_worker

SIZES, WRITERS, SECONDS = (1, 100), (1, 3), 4
DATABASES = {"PostgreSQL": "postgresql://stage@postgres:5432/predictions", "SQLite": "/stage/writes.db"}
SCRIPT = Path(__file__).with_name("writes.py")


def a_flight() -> dict[str, Any]:
    """Return a flight as callers ask about it."""
    flights = load_year(base.WORKSPACES / "year").flights_of(date(2013, 7, 1)).head(1)
    return dict(json.loads(flights.to_json(orient="records", date_format="iso"))[0])


def measure(stage: SwarmStage) -> Iterator[dict[str, Any]]:
    """Yield, by database, predictions an append and writers: how many appends a second, by the level's own log."""
    flight = json.dumps(a_flight())
    for name, address in DATABASES.items():
        for size in SIZES:
            for writers in WRITERS:
                given = address, str(size), str(writers), str(SECONDS), flight
                appends = round(json.loads(in_worker(stage, SCRIPT.read_text(), *given)), 1)
                yield {"log": {name: {str(size): {str(writers): appends}}}}
