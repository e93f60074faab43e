"""The orchestration server, for the pages of this machine only: whoever may talk to it may start a training."""

from prefect.server.api.server import create_app

from .own_pages import OwnPagesOnly, own_hosts


def create() -> OwnPagesOnly:
    """Return the server, for uvicorn."""
    return OwnPagesOnly(create_app(final=True), own_hosts())
