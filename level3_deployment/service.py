"""The application as a BentoML service, which follows the registry while it serves."""

import bentoml

from .app import app, follower


@bentoml.service(
    name="flight-delays",
    workers=1,
    metrics={"enabled": False},  # the application measures itself, at /metrics as before
)
@bentoml.asgi_app(app, path="/")
class FlightDelays:
    """Champion and challenger behind one door."""

    def __init__(self) -> None:
        """Know who should answer before the first request comes."""
        follower.follow()
