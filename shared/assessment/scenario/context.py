"""A level on stage, as probes see it: doors, servers, files. Nothing here knows what a level can do."""

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import httpx

from ...base import ROOT, StageError
from ...stack.operator import People
from ...stack.stage import Answer, Stage
from ...world.dataset import Year
from ...world.incidents import publish
from ...world.period import LIVE

MODEL = "flight-delays"
PATIENCE = 60.0  # seconds for anything to happen
LARGEST_FILE = 64 * 2**20  # bytes: nothing a level keeps of interest is larger
CLIENT = httpx.Client(timeout=30)


@dataclass
class Scene:
    """A running stage and the world around it."""

    stage: Stage
    year: Year
    people: People = field(init=False)
    output: list[str] = field(default_factory=list)  # what was said, in order: kept as evidence
    _named: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.people = People(self.stage)

    @property
    def source(self) -> Path:
        """Return the level's folder."""
        return ROOT / self.stage.package

    @property
    def workspace(self) -> Path:
        """Return where the level writes."""
        return self.stage.workspace

    def note(self, text: str) -> str:
        """Keep what was said."""
        self.output.append(text)
        return text

    # --- the world -----------------------------------------------------------------------------------------------
    def publish(self, day: date) -> None:
        """Let the upstream publish a day."""
        publish(self.year, day, self.workspace / "drop")

    def tick(self, day: date) -> str:
        """Let happen what happens by itself, to its end."""
        said = self.note(self.stage.tick(day))
        self.wait_for("the pipelines to rest", lambda: not self.busy(), patience=300)
        return said

    def release(self, day: date) -> list[str]:
        """Let people make a model and bring it into service; return the roles that had something to do."""
        before = len(self.people.done)
        self.people.release(day, first=before == 0)
        self.stage.wait_until_ready()
        done = self.people.done[before:]
        for step in done:
            self.note(f"{step.role}: {step.does}")
        return [step.role for step in done]

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
        lies = str([(path.name, path.stat().st_mtime_ns) for path in self.files() if path.suffix == ".pkl"])
        if self._named.get("lies") != lies:  # else it is the model that was asked before
            late = [round(each.late_probability, 9) for each in self.ask(LIVE).values()]
            self._named = {
                "lies": lies,
                "name": f"answers {hashlib.sha256(json.dumps(late).encode()).hexdigest()[:12]}",
            }
        return self._named["name"]

    def command(
        self, *arguments: str, cwd: Path = ROOT, seconds: float = 300
    ) -> "subprocess.CompletedProcess[str]":
        """Run a process in the stage's environment, without a terminal; `python` is the project's."""
        line = [sys.executable, *arguments[1:]] if arguments[0] == "python" else list(arguments)
        done = subprocess.run(
            line,
            cwd=cwd,
            env=os.environ | self.stage.environment | {"PYTHONPATH": str(cwd)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        said = (done.stdout + done.stderr).strip().splitlines()
        self.note(f"$ {' '.join(arguments)[:160]}\n  exit {done.returncode}: {said[-1][:400] if said else ''}")
        return done

    def wait_for(self, what: str, condition: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """Wait until the condition is true, and return what it returned."""
        deadline = time.monotonic() + patience
        while not (result := condition()):
            if time.monotonic() > deadline:
                raise StageError(f"waited {patience:.0f} s for {what}")
            time.sleep(0.1)
        return result

    # --- the tracking server and the registry, where there is one ------------------------------------------------
    def tracked(self, path: str, method: str = "GET", **content: Any) -> dict[str, Any]:
        """Ask the tracking server over its REST interface; nothing where there is none or it knows nothing."""
        address = self.stage.environment.get("MLFLOW_TRACKING_URI")
        if not address:
            return {}
        query, body = (content, None) if method == "GET" else (None, content)
        answer = CLIENT.request(method, f"{address}/api/2.0/mlflow/{path}", params=query, json=body)
        return dict(answer.json()) if answer.is_success else {}

    def runs(self, experiment: str = "") -> list[dict[str, Any]]:
        """Return all training runs, oldest first: id, experiment, status, times, metrics, params, tags."""
        found = self.tracked("experiments/search", "POST", max_results=100).get("experiments", [])
        names = {each["experiment_id"]: each["name"] for each in found}
        chosen = [key for key, name in names.items() if not experiment or name == experiment]
        answer = self.tracked("runs/search", "POST", experiment_ids=chosen, max_results=1000) if chosen else {}
        runs = [
            each["info"]
            | {
                kind: {one["key"]: one["value"] for one in each["data"].get(kind, [])}
                for kind in ("metrics", "params", "tags")
            }
            | {"experiment": names[each["info"]["experiment_id"]]}
            for each in answer.get("runs", [])
        ]
        return sorted(runs, key=lambda run: run["start_time"])

    def versions(self) -> dict[str, dict[str, str]]:
        """Return the registered versions with their tags, run and source."""
        found = self.tracked("model-versions/search", filter=f"name='{MODEL}'", max_results=1000).get(
            "model_versions", []
        )
        return {
            each["version"]: {one["key"]: one["value"] for one in each.get("tags", [])}
            | {"run_id": each.get("run_id", ""), "source": each.get("source", "")}
            for each in sorted(found, key=lambda each: int(each["version"]))
        }

    def aliases(self) -> dict[str, str]:
        """Return which version each alias points at."""
        model = self.tracked("registered-models/get", name=MODEL).get("registered_model", {})
        return {each["alias"]: each["version"] for each in model.get("aliases", [])}

    def set_alias(self, alias: str, version: str) -> None:
        """Point an alias at a version, past all commands of the level."""
        self.tracked("registered-models/alias", "POST", name=MODEL, alias=alias, version=version)

    def artifact(self, run: str, path: str) -> str:
        """Return an artefact of a run as text; empty where there is none."""
        address = self.stage.environment.get("MLFLOW_TRACKING_URI")
        answer = CLIENT.get(f"{address}/get-artifact", params={"run_uuid": run, "path": path}) if address else None
        return answer.text if answer and answer.is_success else ""

    def pipeline(self, path: str, **content: Any) -> list[dict[str, Any]]:
        """Ask the orchestrator's REST interface for a list; empty where the stage has none."""
        address = self.stage.environment.get("PREFECT_API_URL")
        if not address:
            return []
        try:
            answer = CLIENT.post(f"{address}/{path}/filter", json=content)
        except httpx.HTTPError:
            return []
        found = answer.json() if answer.is_success else []
        return list(found["events"] if isinstance(found, dict) else found)

    def busy(self) -> bool:
        """Tell whether a pipeline is at work or about to be."""
        states = {"type": {"any_": ["RUNNING", "PENDING"]}}
        return bool(self.pipeline("flow_runs", flow_runs={"state": states}, limit=5))

    # --- files ---------------------------------------------------------------------------------------------------
    def files(self, since: float = 0.0) -> list[Path]:
        """Return what the level has written, newest last, without what the world put there."""
        world = {self.workspace / name for name in ("drop", "env", "assess")}
        found = []
        for path in self.workspace.rglob("*"):
            if path.is_file() and not path.is_symlink() and not world & {path, *path.parents}:
                status = path.stat()
                if status.st_mtime >= since and status.st_size <= LARGEST_FILE:
                    found.append(path)
        return sorted(found, key=lambda path: path.stat().st_mtime)

    def copies(self, published: Path) -> list[Path]:
        """Return the files with the same content as a published one."""
        content = published.read_bytes()
        return [
            path for path in self.files() if path.stat().st_size == len(content) and path.read_bytes() == content
        ]

    def short(self, path: Path | str) -> str:
        """Return a path, or a text with paths in it, as people write it."""
        return str(path).replace(f"{self.workspace}/", "").replace(f"{ROOT}/", "")
