"""Notifications: an issue also leaves the machine, as a webhook, a mail or a message, if ALERTS_TO says where to.

It holds addresses as Apprise writes them, with a space between two: `json://alerts.example.com/hook` or
`mailtos://user:password@example.com`. What could not be sent waits in the outbox until the next morning.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import apprise

from ..config.files import write_text

TRIES, SECONDS_BETWEEN = 3, 1.0


def addresses() -> list[str]:
    """Return where notifications go; they hold passwords, so nothing prints or logs them."""
    return os.environ.get("ALERTS_TO", "").split()


def put(outbox: Path, name: str, text: str) -> None:
    """Put a text into the outbox, once for each address."""
    for n in range(len(addresses())):
        write_text(outbox / f"{name}.{n}", text)


def send(outbox: Path) -> list[str]:
    """Send what is in the outbox, each once; return what could not be sent, in words."""
    return list(_send(outbox))


def _send(outbox: Path) -> Iterator[str]:
    known = dict(enumerate(addresses()))
    for path in sorted(outbox.glob("[!.]*")):
        name, _, n = path.name.rpartition(".")
        address = known.get(int(n))
        if address is None or reaches(address, name, path.read_text()):
            path.unlink()  # sent, or nobody waits for it any more
        else:
            yield f"{name} could not be sent to {_public(address)}, it is tried again tomorrow"


def reaches(address: str, title: str, text: str) -> bool:
    """Send a text to an address; tell whether it was taken."""
    messenger = apprise.Apprise()
    if not messenger.add(address):
        return False
    for n in range(TRIES):
        time.sleep(n * SECONDS_BETWEEN)
        if messenger.notify(title=title, body=text):
            return True
    return False


def _public(address: str) -> str:
    """Return an address without its secrets."""
    known = apprise.Apprise.instantiate(address)
    return str(known.url(privacy=True)).partition("?")[0] if known else "an address that Apprise does not know"
