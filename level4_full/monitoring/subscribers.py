"""Subscribers: whoever EVENTS_TO names hears what becomes of versions and decisions, as CloudEvents and in order.

It holds addresses with a space between two: webhooks (`https://events.example.com/hook`), or what Apprise knows.
Registry and store are the log of what happened; what a subscriber has acknowledged is in a file of its own. None
is left out, and one comes twice, with the same id, only if this process dies between answer and file.
"""

import json
import logging
import os
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx

from ..config import paths
from ..config.files import write_text
from ..config.problem import NAME
from ..operations.readiness import wait_for_servers
from ..registry import models
from ..registry.lifecycle import State, Transition, transitions
from . import decisions, notify, store

SECONDS_BETWEEN, SECONDS_AT_MOST = 3.0, 60.0
AS_JSON = {"content-type": "application/cloudevents+json"}


def serve() -> None:
    """Send what happens to each subscriber, for ever; who does not answer is asked less and less often."""
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log addresses with their passwords
    wait_for_servers()
    addresses = os.environ["EVENTS_TO"].split()
    with ThreadPoolExecutor(len(addresses)) as threads:
        list(threads.map(_follow, addresses))


def _follow(address: str) -> None:
    pause = SECONDS_BETWEEN
    while True:
        pause = SECONDS_BETWEEN if send_new(address) else min(2 * pause, SECONDS_AT_MOST)
        time.sleep(pause)


def send_new(address: str) -> bool:
    """Send what a subscriber has not acknowledged yet, and tell whether it has all; a new one starts now."""
    path = paths.SUBSCRIBERS / sha256(address.encode()).hexdigest()[:16]
    try:
        happened = events()
        if not path.exists():
            write_text(path, "\n".join(event["id"] for event in happened))
        acknowledged = path.read_text().splitlines()
        for event in happened:
            if event["id"] not in acknowledged:
                _send(address, event)
                acknowledged.append(event["id"])
                write_text(path, "\n".join(acknowledged))
    except Exception as error:  # its text may hold the address
        logging.getLogger(__name__).warning("subscriber %s: %s, tried again", path.name, type(error).__name__)
        return False
    return True


def events() -> list[dict[str, Any]]:
    """Return what has happened, oldest first."""
    happened = []
    for version in models.versions():
        number, made = str(version.version), datetime.fromtimestamp(version.creation_timestamp / 1000, UTC)
        first = Transition(f"{made:%Y-%m-%dT%H:%M:%S.%f}", number, State.REGISTERED, "by a training")
        for past in [first, *transitions(number, version.tags)]:
            data = {"version": number, "state": past.state, "why": past.why}
            happened.append(_event(f"model.{past.state.name}", number, past.at, data))
    with store.open_store(paths.METRICS_STORE) as connection:
        for change in decisions.changes(connection):
            kind = f"decision.{change['action']}.{change['status']}"
            happened.append(_event(kind, change["id"], change["at"], change))
    return sorted(happened, key=lambda event: event["time"])  # stable: where times are equal, as they came


def _event(kind: str, subject: str, at: str, data: dict[str, Any]) -> dict[str, Any]:
    kind = kind.lower().replace(" ", "_")
    named = {"specversion": "1.0", "id": f"{subject}/{kind}/{at}", "source": f"/{NAME}", "type": f"{NAME}.{kind}"}
    return named | {"subject": subject, "time": f"{at}Z", "datacontenttype": "application/json", "data": data}


def _send(address: str, event: dict[str, Any]) -> None:
    text = json.dumps(event, indent=1)
    if address.startswith(("http://", "https://")):
        httpx.post(address, content=text, headers=AS_JSON, timeout=10).raise_for_status()
    elif not notify.reaches(address, f"{event['type']} {event['subject']}", text):
        raise ConnectionError
