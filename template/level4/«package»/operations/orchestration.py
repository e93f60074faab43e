"""The orchestration server, for the pages of this machine only: whoever may talk to it may start a training."""

from fastapi import FastAPI
from prefect.server.api.server import create_app
from starlette.routing import Mount

from .own_pages import OwnPagesOnly, own_hosts

WITHOUT = "/docs", "/redoc"  # these pages load their scripts from another host


def create() -> OwnPagesOnly:
    """Return the server, for uvicorn."""
    app = create_app(final=True)
    parts = [app, *(route.app for route in app.routes if isinstance(route, Mount))]
    for part in parts:
        if isinstance(part, FastAPI):
            routes = [route for route in part.routes if getattr(route, "path", "") not in WITHOUT]
            part.router.routes = routes
    return OwnPagesOnly(app, own_hosts())
