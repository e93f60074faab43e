"""What becomes of models leaves the stage as CloudEvents: all of it, in order, once, and no secret is logged."""

import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from typer.testing import CliRunner

from ...__main__ import commands
from ...config import paths
from ...monitoring import decisions, store, subscribers
from ...monitoring.alarm import Cause
from ...monitoring.decisions import Action, Record, Status
from ...registry import history, models
from ...registry.lifecycle import State
from . import test_notify

mailbox = test_notify.mailbox
HOLD = Record("2013-05-01-skew", "2013-05-01", Action.HOLD, Cause.SKEW, "0a1b", {"gap": 0.1})


class Receiver:
    """A subscriber's server: it keeps what it takes, and takes nothing while it is told that it is down."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.types: list[str] = []
        self.is_down = False
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                self.send_response(503 if receiver.is_down else 204)
                if not receiver.is_down:
                    event = from_structured(HTTPMessage(dict(self.headers), body), JSONFormat())
                    receiver.ids.append(event.get_id())
                    receiver.types.append(event.get_type().partition(".")[2])
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=[0.01], daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://somebody:secret@127.0.0.1:{self.server.server_port}/hook?token=secret"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.server.shutdown()
    receiver.server.server_close()


@pytest.fixture(autouse=True)
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, SimpleNamespace]:
    """Make a registry of one version, and a store without decisions."""
    monkeypatch.setattr(paths, "SUBSCRIBERS", tmp_path / "subscribers")
    monkeypatch.setattr(paths, "METRICS_STORE", tmp_path / "metrics.db")
    versions = {"1": SimpleNamespace(version="1", tags={}, creation_timestamp=1_367_366_400_000)}
    monkeypatch.setattr(models, "versions", lambda: list(versions.values()))
    monkeypatch.setattr(models, "version", versions.__getitem__)
    monkeypatch.setattr(models, "tag", lambda number, name, value: versions[number].tags.update({name: value}))
    return versions


def decide(*statuses: Status) -> None:
    """Let a hold be decided, and these things become of it."""
    with store.open_store(paths.METRICS_STORE) as connection:
        decisions.record(connection, HOLD)
        for status in statuses:
            decisions.conclude(connection, HOLD.id, status, "a test")


def test_a_new_subscriber_hears_what_happens_from_now_on(receiver: Receiver) -> None:
    assert subscribers.send_new(receiver.address)
    assert receiver.types == []
    history.record("1", State.CERTIFIED, "no gate stopped it")
    assert subscribers.send_new(receiver.address)
    assert receiver.types == ["model.certified"]


def test_who_was_away_gets_all_of_it_in_order_and_once(
    receiver: Receiver, registry: dict[str, SimpleNamespace]
) -> None:
    subscribers.send_new(receiver.address)
    receiver.is_down = True
    history.record("1", State.CERTIFIED, "no gate stopped it")
    for _ in range(5):
        assert not subscribers.send_new(receiver.address)
    decide(Status.DONE)
    history.record("1", State.CHAMPION, "there was no champion before")
    registry["2"] = SimpleNamespace(version="2", tags={}, creation_timestamp=4_102_444_800_000)  # much later
    assert not subscribers.send_new(receiver.address)
    receiver.is_down = False
    assert subscribers.send_new(receiver.address)
    assert subscribers.send_new(receiver.address)
    happened = ["model.certified", "decision.hold.open", "decision.hold.done", "model.champion"]
    assert receiver.types == [*happened, "model.registered"]
    assert len(set(receiver.ids)) == len(receiver.ids)


def test_what_the_registry_shows_late_is_sent_all_the_same(
    receiver: Receiver, registry: dict[str, SimpleNamespace]
) -> None:
    subscribers.send_new(receiver.address)
    history.record("1", State.CERTIFIED, "no gate stopped it")
    subscribers.send_new(receiver.address)
    registry["1"].tags["history.2013-05-01T00:00:01.000000"] = f"{State.REFUSED}: its process was slow to say so"
    assert subscribers.send_new(receiver.address)
    assert receiver.types == ["model.certified", "model.refused"]


def test_one_that_comes_twice_since_the_sender_died_has_the_same_id(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribers.send_new(receiver.address)
    history.record("1", State.CERTIFIED, "no gate stopped it")
    with monkeypatch.context() as dying:
        dying.setattr(subscribers, "write_text", lambda *_: (_ for _ in ()).throw(OSError("the disk is full")))
        assert not subscribers.send_new(receiver.address)
    assert subscribers.send_new(receiver.address)
    assert len(receiver.ids) == 2
    assert len(set(receiver.ids)) == 1


def test_a_mail_is_sent_once_and_waits_for_a_server(mailbox: tuple[int, list[str]]) -> None:
    port, mails = mailbox
    address = f"mailto://127.0.0.1:{port}?from=stage@example.com&to=team@example.com&mode=insecure"
    subscribers.send_new(address)
    history.record("1", State.REFUSED, "by a gate")
    assert subscribers.send_new(address)
    assert subscribers.send_new(address)
    assert len(mails) == 1
    assert "model.refused" in mails[0]
    assert '"why": "by a gate"' in mails[0]


def test_no_secret_of_an_address_is_logged_or_names_a_file(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("httpx").setLevel(logging.WARNING)  # as `serve` does
    nobody = receiver.address.replace(str(receiver.server.server_port), "1")
    for address in (receiver.address, nobody, "nonsense-with-a-secret"):
        subscribers.send_new(address)
    receiver.is_down = True
    history.record("1", State.CERTIFIED, "no gate stopped it")
    caplog.set_level(logging.INFO)
    for address in (receiver.address, nobody, "nonsense-with-a-secret"):
        assert not subscribers.send_new(address)
    assert len([entry for entry in caplog.records if "tried again" in entry.message]) == 3
    assert "secret" not in caplog.text + " ".join(path.name for path in paths.SUBSCRIBERS.iterdir())


def test_who_stays_away_is_asked_less_and_less_often_until_there_again(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False] * 6 + [True])
    pauses: list[float] = []
    monkeypatch.setattr(subscribers, "send_new", lambda _: next(answers))
    monkeypatch.setattr("time.sleep", pauses.append)
    with pytest.raises(StopIteration):
        subscribers._follow("somebody")
    assert pauses == [6, 12, 24, 48, 60, 60, subscribers.SECONDS_BETWEEN]


@pytest.mark.parametrize("nobody", ["", " "])
def test_without_subscribers_the_process_ends_at_once(monkeypatch: pytest.MonkeyPatch, nobody: str) -> None:
    monkeypatch.setenv("EVENTS_TO", nobody)
    monkeypatch.setattr(subscribers, "serve", lambda: pytest.fail("it waits for nobody"))
    assert CliRunner().invoke(commands, ["subscribers"]).exit_code == 0
