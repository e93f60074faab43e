"""The application as a BentoML service, which follows the registry while it serves."""

from pathlib import Path

import bentoml

from .app import app, follower
from .rollout import carried

CARRIED = Path(__file__).resolve().parents[2] / "package"  # in a Bento


@bentoml.service(
    name="flight-delays",
    metrics={"enabled": False},  # the application measures itself, at /metrics as before
)
@bentoml.asgi_app(app, path="/")
class FlightDelays:
    """Champion and challenger behind one door."""

    def __init__(self) -> None:
        """Know who should answer before the first request comes: without a registry, the package of the Bento."""
        if follower.registry:
            follower.follow()
        else:
            follower.rollout = carried(CARRIED)


# One process: whatever kills it, the process manager starts it again, with nothing left behind.
# (The decorator made the class a bentoml.Service, which the type checker does not see.)
asgi = FlightDelays.to_asgi()  # type: ignore[attr-defined]
