"""What a stage's tracking server and model registry hold, read over their REST interface."""

from dataclasses import dataclass
from typing import Any

import httpx

from .stage import Stage

MODEL = "flight-delays"
CLIENT = httpx.Client(timeout=30)


@dataclass(frozen=True)
class Tracking:
    """The tracking server of a stage; without an address there is none, and it holds nothing."""

    address: str

    @classmethod
    def of(cls, stage: Stage) -> "Tracking":
        """Return the tracking server of a stage."""
        return cls(stage.environment.get("MLFLOW_TRACKING_URI", ""))

    def request(self, path: str, method: str = "GET", **content: Any) -> dict[str, Any]:
        """Ask the server; return nothing where there is none or it refuses.

        Raises:
            httpx.HTTPError: it does not answer.
        """
        if not self.address:
            return {}
        query, body = (content, None) if method == "GET" else (None, content)
        answer = CLIENT.request(method, f"{self.address}/api/2.0/mlflow/{path}", params=query, json=body)
        return dict(answer.json()) if answer.is_success else {}

    def runs(self, experiment: str = "") -> list[dict[str, Any]]:
        """Return all runs, oldest first: id, experiment, status, times, metrics, params, tags."""
        found = self.request("experiments/search", "POST", max_results=100).get("experiments", [])
        names = {experiment["experiment_id"]: experiment["name"] for experiment in found}
        chosen = [key for key, name in names.items() if not experiment or name == experiment]
        answer = self.request("runs/search", "POST", experiment_ids=chosen, max_results=1000) if chosen else {}
        runs = [_flat(run) | {"experiment": names[run["info"]["experiment_id"]]} for run in answer.get("runs", [])]
        return sorted(runs, key=lambda run: run["start_time"])

    def versions(self) -> dict[str, dict[str, str]]:
        """Return the registered versions, oldest first, with their tags, run and source."""
        named = f"name='{MODEL}'"
        found = self.request("model-versions/search", filter=named, max_results=1000).get("model_versions", [])
        return {
            version["version"]: _pairs(version.get("tags", []))
            | {"run_id": version.get("run_id", ""), "source": version.get("source", "")}
            for version in sorted(found, key=lambda version: int(version["version"]))
        }

    def aliases(self) -> dict[str, str]:
        """Return which version each alias points at."""
        model = self.request("registered-models/get", name=MODEL).get("registered_model", {})
        return {alias["alias"]: alias["version"] for alias in model.get("aliases", [])}

    def set_alias(self, alias: str, version: str) -> None:
        """Point an alias at a version, past all commands of the level."""
        self.request("registered-models/alias", "POST", name=MODEL, alias=alias, version=version)

    def artifact(self, run: str, path: str) -> str:
        """Return an artifact of a run as text; empty where there is none."""
        return self.content(run, path).decode()

    def content(self, run: str, path: str) -> bytes:
        """Return an artifact of a run; empty where there is none."""
        if not self.address:
            return b""
        answer = CLIENT.get(f"{self.address}/get-artifact", params={"run_uuid": run, "path": path})
        return answer.content if answer.is_success else b""


def _flat(run: dict[str, Any]) -> dict[str, Any]:
    kinds = "metrics", "params", "tags"
    return run["info"] | {kind: _pairs(run["data"].get(kind, [])) for kind in kinds}


def _pairs(entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {entry["key"]: entry["value"] for entry in entries}
