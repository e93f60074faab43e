"""The application as a BentoML service that follows the registry while it serves."""

from pathlib import Path

import bentoml

from ..config.problem import NAME
from .app import app, follower, log
from .rollout import bundled

BUNDLED = Path(__file__).resolve().parents[2] / "package"  # in a Bento


@bentoml.service(
    name=NAME,
    metrics={"enabled": False},  # the application measures itself, at /metrics as before
    # Nobody reads its access log or collects its spans, and to make them costs as much as the rest of a request.
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
)
@bentoml.asgi_app(app, path="/")
class Service:
    """Champion and challenger behind one endpoint."""

    def __init__(self) -> None:
        """Load the models before the first request comes: without a registry, the package in the Bento."""
        if follower.registry:
            follower.follow()
        else:
            follower.rollout = bundled(BUNDLED)

    def __is_ready__(self) -> bool:
        """Tell /readyz whether a request would be answered now; that the process lives says /livez."""
        return follower.rollout.champion is not None and not log.failed_lately()


# One process: the process manager starts it again, whatever ended it.
# (The decorator made the class a bentoml.Service, which the type checker does not see.)
asgi = Service.to_asgi()  # type: ignore[attr-defined]
