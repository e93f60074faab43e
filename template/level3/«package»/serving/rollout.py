"""The rollout: which models serve, and with which share. The service follows the registry while it runs.

The registry is the only source of truth: its aliases name the models, its tags the traffic share and the seals of
the certificates. It is read over its REST interface, so that serving needs no MLflow.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx

from ..config.problem import NAME
from ..errors import StageError
from ..registry import certificate
from ..registry.artifact import Artifact, BrokenArtifactError, digest_of, fetch, load, read_stored
from . import last_known

SECONDS_BETWEEN_POLLS = 0.5
SHADOWS = ("previous",)  # aliases
MAX_SLOWDOWN, SLACK_SECONDS = 5.0, 0.2  # a model is slow that takes so many times the champion's time, and more
MAX_SLOW = 3  # requests in a row
LAST_KNOWN = "the last known"  # in place of a version
UNNAMED = "the registry names no champion, though one has served: it goes on"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Arm:
    """A model that serves, under the name that its predictions carry."""

    name: str
    artifact: Artifact
    version: str = ""
    certified: Mapping[str, str] = field(default_factory=dict)  # the certificate and its seal


@dataclass(frozen=True)
class Rollout:
    """Which models serve: replaced as a whole, so that a request never sees half a change."""

    champion: Arm | None = None
    challenger: Arm | None = None
    experiment: str | None = None
    share: float = 0.0
    shadows: tuple[Arm, ...] = ()  # predict like the others, and serve nobody

    @property
    def others(self) -> list[Arm]:
        """Return the models beside the champion."""
        return [*([self.challenger] if self.challenger else []), *self.shadows]


def bundled(folder: Path) -> Rollout:
    """Return the rollout of a package that came with the service: it serves everything, and never changes.

    Raises:
        BrokenArtifactError: there is none, or it does not load.
    """
    try:
        digest = digest_of(folder)
    except OSError as error:
        raise BrokenArtifactError(f"no registry is named, and there is no package in {folder}") from error
    return Rollout(Arm(f"{NAME}@{digest[:12]}", load(folder, digest)))


@dataclass
class Follower:
    """Keeps the rollout as the registry has it; what cannot be fetched or is not certified changes nothing."""

    registry: str
    model: str
    alias: str
    folder: Path
    rollout: Rollout = field(default_factory=Rollout)
    problem: str | None = None
    _loaded: dict[str, Arm] = field(default_factory=dict)
    _dropped: dict[str, str] = field(default_factory=dict)  # by version: the harm it did
    _slow: Counter[str] = field(default_factory=Counter)  # by model: slow requests in a row
    # One client for all polls: making one takes ten times as long as a poll, beside requests that wait meanwhile.
    _client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10))

    def follow(self) -> None:
        """Poll the registry, in a thread of its own; while it names no champion, the last one serves."""
        self.poll()
        if self.problem and self.rollout.champion is None and (champion := self._last_champion()):
            self.rollout = Rollout(champion)
            log.warning("%s serves, as it did last", champion.name)
        threading.Thread(target=self._poll_forever, daemon=True).start()

    def _poll_forever(self) -> None:
        while True:
            time.sleep(SECONDS_BETWEEN_POLLS)
            self.poll()

    def poll(self) -> None:
        """Read the registry once."""
        try:
            self.rollout = self._read()
            champion = self.rollout.champion
            self.problem = UNNAMED if champion and champion.version == LAST_KNOWN else None
            if champion and champion.certified:
                facts = {"name": champion.name, "version": champion.version, "digest": champion.artifact.digest}
                last_known.keep(self.folder, facts | dict(champion.certified))
        except httpx.TransportError as error:
            self._stays(f"the registry does not answer, {error}")
        except (httpx.HTTPError, StageError, OSError, KeyError, ValueError) as error:
            self._stays(str(error))

    def _stays(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("the rollout stays as it is: %s", problem)
        self.problem = problem

    def predict(self, champion: Arm, others: Iterable[Arm], features: Any) -> dict[str, list[float]]:
        """Return what each model predicts, by its name.

        The champion's predictions are answered whatever becomes of the others. One of those that fails, or slows
        down three requests in a row, predicts no more: people must not wait for an experiment.
        """
        began = time.perf_counter()
        predictions = {champion.name: champion.artifact.predict(features).tolist()}
        limit = MAX_SLOWDOWN * (time.perf_counter() - began) + SLACK_SECONDS
        for arm in others:
            began = time.perf_counter()
            try:
                predictions[arm.name] = arm.artifact.predict(features).tolist()
            except Exception as error:
                self._drop(arm, f"failed to predict, {type(error).__name__}: {error}")
                continue
            self._slow[arm.name] = self._slow[arm.name] + 1 if time.perf_counter() - began > limit else 0
            if self._slow[arm.name] == MAX_SLOW:
                self._drop(arm, f"was slow in {MAX_SLOW} requests in a row")
        return predictions

    def _drop(self, arm: Arm, why: str) -> None:
        """Use a version no more; all others go on."""
        self._dropped[arm.version] = why
        kept = self.rollout
        if kept.challenger and kept.challenger.version == arm.version:
            kept = replace(kept, challenger=None, experiment=None, share=0.0)
        shadows = tuple(each for each in kept.shadows if each.version != arm.version)
        self.rollout = replace(kept, shadows=shadows)

    def _read(self) -> Rollout:
        model = self._get("registered-models/get", name=self.model)["registered_model"]
        aliases = {alias["alias"]: alias["version"] for alias in model.get("aliases", [])}
        tags = {tag["key"]: tag["value"] for tag in model.get("tags", [])}
        champion = self._arm(aliases[self.alias]) if self.alias in aliases else None
        if self.alias != "champion":
            return Rollout(champion)
        champion = champion or self._last_champion()
        serving = Rollout(champion)
        try:
            if "challenger" in aliases:
                challenger, share = self._arm(aliases["challenger"]), float(tags["challenger_share"])
                serving = replace(serving, challenger=challenger, experiment=tags["experiment"], share=share)
            shadows = tuple(self._arm(aliases[alias]) for alias in SHADOWS if alias in aliases)
        except Exception:
            self.rollout = (
                serving  # the champion goes on whatever is wrong with the challenger, both with a shadow
            )
            raise
        return replace(serving, shadows=shadows)

    def _last_champion(self) -> Arm | None:
        """Return the champion that served last, as one that the registry does not name."""
        served, arm = last_known.name(self.folder), self._loaded.get(LAST_KNOWN)
        if served and (arm is None or arm.name != served):
            known = last_known.recall(self.folder)
            arm = Arm(served, known[1], LAST_KNOWN) if known else None
            if arm:
                self._loaded[LAST_KNOWN] = arm
        return arm

    def _arm(self, version: str) -> Arm:
        if version in self._dropped:
            raise StageError(f"version {version}: {self._dropped[version]}")
        if version not in self._loaded:
            try:
                self._loaded[version] = self._fetch(version)
            except StageError as error:
                raise StageError(f"version {version}: {error}") from error
        return self._loaded[version]

    def _fetch(self, version: str) -> Arm:
        """Download, verify and load a version; a staged one is not certified yet, all others are."""
        registered = self._get("model-versions/get", name=self.model, version=version)["model_version"]
        tags = {tag["key"]: tag["value"] for tag in registered["tags"]}
        digest, run, certified = tags["digest"], registered["run_id"], {}
        if self.alias == "champion":
            text, sealed = (
                read_stored(self.registry, run, "certificate.json").decode(),
                tags.get("certificate", ""),
            )
            certificate.check(text, sealed, digest)
            certified = {"certificate": text, "seal": sealed}
        artifact = fetch(self.registry, run, self.folder / digest, digest)
        return Arm(f"{self.model}/{version}@{digest[:12]}", artifact, version, certified)

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self._client.get(f"{self.registry}/api/2.0/mlflow/{path}", params=query)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content
