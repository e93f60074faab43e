"""Notifications that leave the stage, to real servers: each once, tried again, and no secret is logged."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from ...monitoring import notify

TEXT = "Since 2013-05-01 no training starts by itself."


@pytest.fixture(autouse=True)
def _quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "SECONDS_BETWEEN", 0.01)


class Webhook:
    """A server that takes webhooks; it refuses as many as it is told to."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.refuses = 0
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if webhook.refuses:
                    webhook.refuses -= 1
                    self.send_response(503)
                else:
                    webhook.taken.append(json.loads(body))
                    self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"json://somebody:secret@127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    webhook = Webhook()
    yield webhook
    webhook.server.shutdown()
    webhook.server.server_close()


@pytest.fixture
def mailbox() -> Iterator[tuple[int, list[str]]]:
    """Run a mail server; return its port, and the mails that it took."""
    mails: list[str] = []
    loop, ready, port = asyncio.new_event_loop(), threading.Event(), 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())
            await writer.drain()

        await say("220 here")
        while line := (await reader.readline()).decode().strip():
            if line.upper() == "DATA":
                await say("354 go on")
                mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            await say("221 bye" if line.upper() == "QUIT" else "250 yes")
        writer.close()

    async def serve() -> None:
        nonlocal port
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        ready.set()
        with suppress(asyncio.CancelledError):
            await server.serve_forever()

    thread = threading.Thread(target=loop.run_until_complete, args=[serve()], daemon=True)
    thread.start()
    ready.wait()
    yield port, mails
    loop.call_soon_threadsafe(lambda: [task.cancel() for task in asyncio.all_tasks(loop)])


def test_without_an_address_nothing_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ALERTS_TO", raising=False)
    notify.put(tmp_path / "outbox", "hold", TEXT)
    assert not (tmp_path / "outbox").exists()
    assert notify.send(tmp_path / "outbox") == []


def test_a_webhook_and_a_mail_are_sent_once_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, webhook: Webhook, mailbox: tuple[int, list[str]]
) -> None:
    port, mails = mailbox
    mail = f"mailto://127.0.0.1:{port}?from=stage@example.com&to=team@example.com&mode=insecure"
    monkeypatch.setenv("ALERTS_TO", f"{webhook.address} {mail}")
    notify.put(tmp_path, "2013-05-01-skew", TEXT)
    assert notify.send(tmp_path) == notify.send(tmp_path) == []
    assert [(taken["title"], taken["message"]) for taken in webhook.taken] == [("2013-05-01-skew", TEXT)]
    assert len(mails) == 1
    assert "2013-05-01-skew" in mails[0]
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_busy_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, webhook: Webhook
) -> None:
    monkeypatch.setenv("ALERTS_TO", webhook.address)
    webhook.refuses = 2
    notify.put(tmp_path, "hold", TEXT)
    assert notify.send(tmp_path) == []
    assert len(webhook.taken) == 1


def test_what_could_not_be_sent_waits_and_no_secret_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, webhook: Webhook, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ALERTS_TO", webhook.address)
    webhook.refuses = notify.TRIES
    notify.put(tmp_path, "hold", TEXT)
    (problem,) = notify.send(tmp_path)
    assert "hold could not be sent to json://" in problem
    assert "secret" not in problem + caplog.text
    assert notify.send(tmp_path) == []  # the next morning
    assert len(webhook.taken) == 1


def test_an_address_that_is_none_is_said_without_repeating_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERTS_TO", "nonsense-with-a-secret")
    notify.put(tmp_path, "hold", TEXT)
    (problem,) = notify.send(tmp_path)
    assert "an address that Apprise does not know" in problem
    assert "secret" not in problem
