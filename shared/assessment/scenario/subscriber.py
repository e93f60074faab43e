"""A subscriber: a server of this machine that keeps the CloudEvents it is sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ...stack.stage import Stage


@contextmanager
def subscribed(stage: Stage) -> Iterator[list[dict[str, Any]]]:
    """Subscribe to what a stage that has not been started yet will tell; yield what has been heard so far."""
    heard: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            is_event = self.headers["content-type"] == "application/cloudevents+json"
            if is_event:
                heard.append(json.loads(body))
            self.send_response(204 if is_event else 415)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stage.environment["EVENTS_TO"] = f"http://127.0.0.1:{server.server_port}/"
        try:
            yield heard
        finally:
            server.shutdown()
