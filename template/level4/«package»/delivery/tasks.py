"""The tasks of a delivery: build the package, examine it on staging, and pack what was certified."""

from dataclasses import asdict
from typing import Any

import pandas as pd
import yaml
from mlflow.entities.model_registry import ModelVersion
from prefect import task

from ..config import paths
from ..config.files import write_text
from ..config.policy import Policy
from ..data import snapshot
from ..registry import artifact, certificate, models
from ..training.evaluate import hold_out, slices
from ..training.model import «prediction»
from . import sbom
from .acceptance import run_tests
from .bento import build_bento
from .certify import certify
from .model_gates import ModelEvidence
from .package import package
from .package_gates import PackageEvidence, run_benchmark


@task
def build(version: str) -> str:
    """Package a registered version, keep the package with its run, and return its digest."""
    registered = models.version(version)
    _, recent = _days(registered)
    params = _training_params(registered)
    del params["holdout_days"]
    # Not the run, which names itself at random: the same code, data and parameters give the same package anywhere.
    metadata = {name: registered.tags[name] for name in ("snapshot", "commit")} | {"params": params}
    folder = paths.RUNS / registered.run_id / artifact.STORED_AS
    digest = package(models.load(registered.source), recent, metadata, folder)
    models.keep(registered, folder)
    models.tag(version, "digest", digest)
    return digest


@task
def examine(version: str, digest: str, policy: Policy) -> str:
    """Run the gates on the staged package; keep the sealed certificate with its run, whatever its verdict."""
    registered, champion = models.version(version), models.champion()
    _, recent = _days(registered)
    folder, report, verdict = (
        paths.RUNS / registered.run_id / name for name in (artifact.STORED_AS, "tests.xml", "certificate.json")
    )
    bill = verdict.with_name("sbom.cdx.json")
    tests = run_tests(folder, digest, report)
    model = ModelEvidence(
        recent=recent,
        candidate=«prediction»(models.load(models.judged(registered)), recent),
        champion=«prediction»(models.load(models.judged(champion)), recent) if champion else None,
        slices=slices(recent),
        policy=policy.promotion,
    )
    packaged = PackageEvidence(
        model=models.load(registered.source),
        artifact=artifact.load(folder, digest),
        measured=run_benchmark((folder, digest), models.package_of(champion) if champion else None),
        tests=tests,
        instances=recent,
    )
    provenance = {"version": version, "run": registered.run_id, **registered.tags, "tests": asdict(tests)}
    provenance |= {"policy": policy.sha256, "sbom": sbom.write(bill)}
    text = certify(model, packaged, provenance)
    write_text(verdict, text)
    for path in (verdict, report, bill):
        if path.exists():
            models.keep(registered, path)
    models.tag(version, "certificate", certificate.seal(text))
    return text


@task
def pack(version: str, digest: str) -> None:
    """Build the Bento of a certified package."""
    tag = build_bento(paths.RUNS / models.version(version).run_id / artifact.STORED_AS, digest)
    models.tag(version, "bento", tag)


def _days(version: ModelVersion) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the days a version was trained on and the held-out days, from its snapshot."""
    table = pd.read_parquet(snapshot.table_of(version.run_id, version.tags["snapshot"]))
    return hold_out(table, _training_params(version)["holdout_days"])


def _training_params(version: ModelVersion) -> dict[str, Any]:
    """Return the parameters a version was trained with; those of today may be others."""
    return {name: yaml.safe_load(value) for name, value in models.training_of(version).params.items()}
