"""What serves, changed while clients ask."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from .context import Context
from .uncertified_model import number_in

CLIENTS = 4
PAUSE = 0.01  # seconds between two requests of a client: some processor is left for the change itself


@dataclass
class Swap:
    """What serves, changed back and forth while clients ask."""

    how: str
    before: str
    between: str  # what served after the first change: an earlier model, where there is a way back
    after: str
    sent: int
    failed: int


def swap_under_load(context: Context, day: date) -> Swap:
    """Change what serves there and back while clients ask; how, is what the level offers for it."""
    if "PORT" not in context.stage.environment:
        return Swap("there is no service", "", "", "", 0, 0)
    flights = json.loads(context.year.flights_of(day).head(CLIENTS).to_json(orient="records", date_format="iso"))
    before, stopping = str(context.version().get("model")), False

    def send(flight: dict[str, Any]) -> tuple[int, int]:
        sent = failed = 0
        client, endpoint = httpx.Client(timeout=10), context.stage.fill("http://127.0.0.1:${PORT}/predict")
        while not stopping:
            sent += 1
            try:
                failed += not client.post(endpoint, json={"flights": [flight]}).is_success
            except httpx.HTTPError:
                failed += 1
            time.sleep(PAUSE)
        return sent, failed

    with ThreadPoolExecutor(CLIENTS) as pool:
        sending = [pool.submit(send, flight) for flight in flights]
        try:
            how = _change(context)
            between = str(context.version().get("model"))
            _change(context, back_to=before)
        finally:
            stopping = True
    counts = [future.result() for future in sending]
    sent, failed = sum(count[0] for count in counts), sum(count[1] for count in counts)
    return Swap(how, before, between, str(context.version().get("model")), sent, failed)


def _change(context: Context, back_to: str = "") -> str:
    """Change the serving model with what the level has: rollback, release by version, or people's own steps."""
    rollback = context.command("python", "-m", context.stage.package, "rollback")
    if rollback.returncode == 0:
        return "rollback"  # what was rolled back from may be refused the way there again
    serving = number_in(str(context.version().get("model")))
    earlier = [number for number in context.tracking.versions() if number != serving]
    if earlier and (chosen := number_in(back_to) or earlier[0]):
        context.command("python", "-m", context.stage.package, "release", chosen)
        context.wait_for("the service's return", context.version)
        return f"release {chosen}"
    for step in context.people.steps:
        if step.role == "software engineer" and step.command:
            context.stage.run(step.command)
    context.wait_for("the service's return", context.version)
    return "people copy and restart"
