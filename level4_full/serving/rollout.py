"""What the registry says should serve, followed by the service while it runs.

The registry is the only source of truth: its aliases name the models, its tags the traffic share and the seals of
the certificates. It is read over its REST interface, so that serving needs no MLflow.
"""

import logging
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from ..errors import StageError
from ..registry import certificate
from ..registry.artifact import DESCRIPTION, MODEL, Artefact, BrokenArtefactError, digest_of, load

SECONDS_BETWEEN_LOOKS = 0.5
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arm:
    """A model that serves, under the name its answers carry."""

    name: str
    artefact: Artefact


@dataclass(frozen=True)
class Rollout:
    """Who answers: replaced as a whole, so that a request never sees half a change."""

    champion: Arm | None = None
    challenger: Arm | None = None
    experiment: str | None = None
    share: float = 0.0


def carried(folder: Path) -> Rollout:
    """Return the rollout of a package that came with the service: it answers all, and nothing changes that.

    Raises:
        BrokenArtefactError: there is none, or it does not load.
    """
    try:
        digest = digest_of(folder)
    except OSError as error:
        raise BrokenArtefactError(f"no registry is named, and there is no package in {folder}") from error
    return Rollout(Arm(f"flight-delays@{digest[:12]}", load(folder, digest)))


@dataclass
class Follower:
    """Keeps the rollout as the registry has it; what cannot be had or is not certified changes nothing."""

    registry: str
    model: str
    alias: str
    folder: Path
    rollout: Rollout = field(default_factory=Rollout)
    problem: str | None = None
    _known: dict[str, Arm] = field(default_factory=dict)

    def follow(self) -> None:
        """Look again and again, in a thread of its own."""
        self.look()
        threading.Thread(target=self._forever, daemon=True).start()

    def _forever(self) -> None:
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            self.look()

    def look(self) -> None:
        """Read the registry once."""
        try:
            self.rollout, self.problem = self._read(), None
        except (httpx.HTTPError, StageError, OSError, KeyError, ValueError) as error:
            if str(error) != self.problem:
                log.warning("the rollout stays as it is: %s", error)
            self.problem = str(error)

    def _read(self) -> Rollout:
        found = self._get("registered-models/get", name=self.model)["registered_model"]
        aliases = {each["alias"]: each["version"] for each in found.get("aliases", [])}
        tags = {each["key"]: each["value"] for each in found.get("tags", [])}
        champion, challenger = aliases.get(self.alias), aliases.get("challenger")
        if self.alias != "champion" or challenger is None:
            return Rollout(self._arm(champion))
        usual = self._arm(champion)
        try:
            other = self._arm(challenger)
        except Exception:
            self.rollout = Rollout(usual)  # the champion answers, whatever is wrong with its challenger
            raise
        return Rollout(usual, other, tags["experiment"], float(tags["challenger_share"]))

    def _arm(self, version: str | None) -> Arm | None:
        if version is None:
            return None
        if version not in self._known:
            try:
                self._known[version] = self._fetch(version)
            except StageError as error:
                raise StageError(f"version {version}: {error}") from error
        return self._known[version]

    def _fetch(self, version: str) -> Arm:
        """Download, verify and load a version; a staged one is not certified yet, all others are."""
        found = self._get("model-versions/get", name=self.model, version=version)["model_version"]
        tags = {each["key"]: each["value"] for each in found["tags"]}
        digest, run = tags["digest"], found["run_id"]
        if self.alias == "champion":
            text = self._artifact(run, "certificate.json").decode()
            certificate.check(text, tags.get("certificate", ""), digest)
        folder = self.folder / digest
        folder.mkdir(parents=True, exist_ok=True)
        for name in (MODEL, DESCRIPTION):
            part = folder / f"{name}.part"
            part.write_bytes(self._artifact(run, f"package/{name}"))
            part.replace(folder / name)
        return Arm(f"{self.model}/{version}@{digest[:12]}", load(folder, digest))

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = httpx.get(f"{self.registry}/api/2.0/mlflow/{path}", params=query, timeout=10)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    def _artifact(self, run: str, path: str) -> bytes:
        answer = httpx.get(f"{self.registry}/get-artifact", params={"run_uuid": run, "path": path}, timeout=30)
        answer.raise_for_status()
        return answer.content
