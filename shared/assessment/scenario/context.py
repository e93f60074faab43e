"""A running stage, as probes see it: endpoints, servers, files. Nothing here knows what a level can do."""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from stat import S_ISREG
from typing import Any

import httpx

from ...base import ROOT, StageError
from ...stack.operator import Operator
from ...stack.process import run
from ...stack.stage import Answer, Event, Stage
from ...stack.tracking import Tracking
from ...world.dataset import Year
from ...world.incidents import publish
from ...world.period import LIVE

PATIENCE = 60.0  # seconds for anything to happen
LARGEST_FILE = 64 * 2**20  # bytes: nothing a level keeps of interest is larger
FOREIGN = {"drop", "env", "assess"}  # in a workspace: what the level has not written
CLIENT = httpx.Client(timeout=30)


def in_words(events: list[Event]) -> str:
    """Return the events of a day as people read them."""
    return "; ".join(event.text for event in events)


def in_facts(events: list[Event]) -> list[str]:
    """Return the kind and the facts of each event, as probes read them."""
    return [json.dumps({"kind": event.kind, "facts": event.facts}) for event in events]


@dataclass
class Context:
    """A running stage and what surrounds it."""

    stage: Stage
    year: Year
    people: Operator = field(init=False)
    tracking: Tracking = field(init=False)
    heard: list[dict[str, Any]] = field(
        default_factory=list
    )  # CloudEvents that the stage has sent to a subscriber
    output: list[str] = field(default_factory=list)  # all that was printed, in order: kept as evidence
    _name: tuple[str, str] = ("", "")  # of the model that serves, and the files it was found out by

    def __post_init__(self) -> None:
        self.people = Operator(self.stage)
        self.tracking = Tracking.of(self.stage)

    @property
    def source(self) -> Path:
        """Return the level's folder."""
        return ROOT / self.stage.package

    @property
    def workspace(self) -> Path:
        """Return where the level writes."""
        return self.stage.workspace

    def note(self, text: str) -> str:
        """Keep a text as evidence."""
        self.output.append(text)
        return text

    # --- days ----------------------------------------------------------------------------------------------------
    def publish(self, day: date) -> None:
        """Let the upstream publish a day."""
        publish(self.year, day, self.workspace / "drop")

    def run_day(self, day: date) -> list[Event]:
        """Let happen what happens by itself, to its end."""
        events = self.stage.run_day(day)
        self.note(f"{day}: {in_words(events)}")
        self.wait_for("the pipelines to rest", lambda: not self.busy(), patience=300)
        return events

    def release(self, day: date) -> list[str]:
        """Let people make a model and bring it into service; return the roles that had something to do."""
        before = len(self.people.done)
        self.people.release(day, first=before == 0)
        self.stage.wait_until_ready()
        steps = self.people.done[before:]
        for step in steps:
            self.note(f"{step.role}: {step.does}")
        return [step.role for step in steps]

    def ask(self, day: date) -> dict[str, Answer]:
        """Return the answers for a day's flights, by flight; where people make them, people make them."""
        self.people.daily(day)
        return self.stage.ask(day, self.year.flights_of(day).to_json(orient="records", date_format="iso"))

    # --- what answers --------------------------------------------------------------------------------------------
    def version(self, port: str = "PORT") -> dict[str, Any]:
        """Return what a service says about itself; nothing where none answers."""
        if port not in self.stage.environment:
            return {}
        try:
            answer = CLIENT.get(f"http://127.0.0.1:{self.stage.environment[port]}/version")
            return dict(answer.json()) if answer.is_success else {}
        except (httpx.HTTPError, ValueError):
            return {}

    def serving(self) -> str:
        """Name the model that answers: as the service does, or else by its answers for the first day."""
        if "PORT" in self.stage.environment:
            return str(self.version().get("model"))
        files = str([(path.name, path.stat().st_mtime_ns) for path in self.files() if path.suffix == ".pkl"])
        if self._name[1] != files:  # else it is the model that was asked before
            answers = [round(answer.late_probability, 9) for answer in self.ask(LIVE).values()]
            self._name = f"answers {hashlib.sha256(json.dumps(answers).encode()).hexdigest()[:12]}", files
        return self._name[0]

    def command(
        self, *arguments: str, cwd: Path = ROOT, seconds: float = 300
    ) -> "subprocess.CompletedProcess[str]":
        """Run a process in the stage's environment, without a terminal; `python` is the project's."""
        line = [sys.executable, *arguments[1:]] if arguments[0] == "python" else list(arguments)
        environment = os.environ | self.stage.environment | {"PYTHONPATH": str(cwd)}
        done = run(line, cwd, environment, seconds=seconds)
        lines = (done.stdout + done.stderr).strip().splitlines()
        self.note(f"$ {' '.join(arguments)[:160]}\n  exit {done.returncode}: {lines[-1][:400] if lines else ''}")
        return done

    def wait_for(self, what: str, condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """Wait until the condition is true, and return what it returned."""
        deadline = time.monotonic() + patience
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise StageError(f"waited {patience:.0f} s for {what}")
            time.sleep(0.1)
        return result

    # --- servers, where there are some ---------------------------------------------------------------------------
    def pipeline(self, path: str, **content: Any) -> list[dict[str, Any]]:
        """Ask the orchestrator's REST interface for a list; empty where the stage has none."""
        address = self.stage.environment.get("PREFECT_API_URL")
        if not address:
            return []
        try:
            answer = CLIENT.post(f"{address}/{path}/filter", json=content)
        except httpx.HTTPError:
            return []
        listed = answer.json() if answer.is_success else []
        return list(listed["events"] if isinstance(listed, dict) else listed)

    def busy(self) -> bool:
        """Tell whether a pipeline is at work or about to be."""
        states = {"type": {"any_": ["RUNNING", "PENDING"]}}
        return bool(self.pipeline("flow_runs", flow_runs={"state": states}, limit=5))

    # --- files ---------------------------------------------------------------------------------------------------
    def files(self, since: float = 0.0) -> list[Path]:
        """Return what the level has written, newest last, without what the assessment put there."""
        files = []
        for folder, folders, names in os.walk(self.workspace):
            foreign = FOREIGN if Path(folder) == self.workspace else set()
            folders[:] = [name for name in folders if name not in foreign]
            for path in (Path(folder, name) for name in names if name not in foreign):
                with suppress(FileNotFoundError):  # it was a temporary one
                    status = path.lstat()
                    if S_ISREG(status.st_mode) and status.st_mtime >= since and status.st_size <= LARGEST_FILE:
                        files.append((status.st_mtime, path))
        return [path for _, path in sorted(files)]

    def copies(self, published: Path) -> list[Path]:
        """Return the files with the same content as a published one."""
        content = published.read_bytes()
        return [
            path for path in self.files() if path.stat().st_size == len(content) and path.read_bytes() == content
        ]

    def seal_of(self, text: str) -> str:
        """Return the seal that a text has in the registry: keyed, where the stage has a key for that."""
        key = self.workspace / "seal.key"
        if key.exists():
            return hmac.new(key.read_bytes(), text.encode(), "sha256").hexdigest()
        return hashlib.sha256(text.encode()).hexdigest()

    def short(self, path: Path | str) -> str:
        """Return a path, or a text with paths in it, as people write it."""
        return str(path).replace(f"{self.workspace}/", "").replace(f"{ROOT}/", "")
