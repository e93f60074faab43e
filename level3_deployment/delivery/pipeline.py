"""The delivery pipeline: package, stage, certify, release. No person, and no way around a gate."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from prefect import flow, task

from ..config import paths
from ..config.params import read_params
from ..data import snapshot
from ..errors import RefusedError, StageError
from ..operations.lock import exclusive_lock
from ..registry import artifact, certificate, history, models
from ..training.evaluate import hold_out, slices
from ..training.train import train_baselines
from . import promotion
from .acceptance import run_tests
from .bento import build_bento
from .certify import certify
from .model_gates import Evidence
from .package import package
from .package_gates import probe

MANUAL = "manual"


class NotApprovedError(RefusedError):
    """The version cannot be approved."""


@task
def build(version: str) -> str:
    """Package a registered version, keep the package in its run, and return its digest."""
    found = models.version(version)
    model = models.load(found.source)
    _, recent = _days(found)
    params = _params(found)
    del params["holdout_days"]
    traits = {"run": found.run_id, "snapshot": found.tags["snapshot"], "commit": found.tags["commit"]}
    folder = paths.RUNS / found.run_id / "package"
    digest = package(model, recent, traits | {"params": params}, folder)
    MlflowClient().log_artifacts(found.run_id, str(folder), "package")
    MlflowClient().set_model_version_tag(models.MODEL, version, "digest", digest)
    return digest


@task
def examine(version: str, digest: str) -> str:
    """Put the staged package before the gates; keep the sealed certificate in its run, whatever it says."""
    found = models.version(version)
    past, recent = _days(found)
    champion = models.champion()
    served = _served(champion.tags["digest"]) if champion else None
    folder, report = (paths.RUNS / found.run_id / name for name in ("package", "tests.xml"))
    tests = run_tests(folder, digest, report)
    evidence = Evidence(
        candidate=models.load(found.source),
        champion=models.load(champion.source) if champion else None,
        baselines=train_baselines(past),
        artefact=artifact.load(folder, digest),
        measured=probe((folder, digest), served),
        tests=tests,
        past=past,
        recent=recent,
        slices=slices(recent),
    )
    trail = {"version": version, "run": found.run_id, **found.tags, "tests": asdict(tests)}
    text = certify(evidence, trail)
    path = paths.RUNS / found.run_id / "certificate.json"
    path.write_text(text)
    for kept in (path, report):
        if kept.exists():
            MlflowClient().log_artifact(found.run_id, str(kept))
    MlflowClient().set_model_version_tag(models.MODEL, version, "certificate", certificate.seal(text))
    return text


@task
def pack(version: str, digest: str) -> str:
    """Build the Bento of a certified package; return its tag, which the registry keeps."""
    tag = build_bento(paths.RUNS / models.version(version).run_id / "package", digest)
    MlflowClient().set_model_version_tag(models.MODEL, version, "bento", tag)
    return tag


@flow(name="delivery", flow_run_name="version-{version}")
def deliver(version: str) -> str:
    """Bring a registered version as far towards production as its gates let it; return what came of it.

    Raises:
        NotCertifiedError: a gate refused it; the registry says which.
        NotFollowedError: a service did not answer; the next delivery tries again, once.
    """
    with exclusive_lock(paths.APP):  # or a release of the code would restart staging under the gates
        if version not in history.undelivered():
            return f"version {version} has been delivered before"
        share = read_params()["challenger_share"]
        if version in map(models.version_of, (models.CHAMPION, promotion.CHALLENGER)):
            return promotion.release(version, share)  # the process died on its way out: it has been certified
        try:
            digest = build(version)
            promotion.stage(version)
            text = examine(version, digest)
            certificate.check(text, certificate.seal(text), digest)
            pack(version, digest)
            if read_params()["approval"] == MANUAL:
                MlflowClient().set_model_version_tag(models.MODEL, version, "awaits", "approval")
                return f"version {version} is certified and awaits approval"
            return promotion.release(version, share)
        except (RefusedError, promotion.NotFollowedError) as error:
            # Silence is no verdict; but a model that silences a service again does so by itself.
            final = isinstance(error, RefusedError) or "unanswered" in models.version(version).tags
            MlflowClient().set_model_version_tag(
                models.MODEL, version, "refused" if final else "unanswered", str(error)
            )
            raise


def finish() -> str:
    """Deliver what was registered and then left, as when the process died; return what came of it."""
    with exclusive_lock(paths.APP):  # what somebody is at is delivered then
        left = history.undelivered()
    done = []
    for version in left:
        try:
            done.append(deliver(version))
        except StageError as error:  # those behind it need not wait
            done.append(f"version {version} was not delivered: {error}")
    return "; ".join(done)


def approve(version: str) -> str:
    """Release a certified version that awaits a person's word.

    Raises:
        NotApprovedError: it does not await one.
    """
    with exclusive_lock(paths.APP):
        before = [event for event in history.events() if event.version == version]
        if before or models.version(version).tags.get("awaits") != "approval":
            raise NotApprovedError(
                f"version {version} does not await approval: see the versions that do with `models`"
            )
        released = promotion.release(version, read_params()["challenger_share"])
        MlflowClient().set_model_version_tag(models.MODEL, version, "awaits", "nothing")
    return released


def _days(found: ModelVersion) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the days a version was trained on and the days held out, from its snapshot."""
    table = pd.read_parquet(snapshot.table_of(found.run_id, found.tags["snapshot"]))
    return hold_out(table, _params(found)["holdout_days"])


def _params(found: ModelVersion) -> dict[str, Any]:
    """Return the parameters of a version's training; those of today may be others."""
    logged = MlflowClient().get_run(found.run_id).data.params
    return {name: yaml.safe_load(value) for name, value in logged.items()}


def _served(digest: str) -> tuple[Path, str]:
    return paths.PACKAGES / digest, digest
