"""The delivery pipeline: package, stage, certify, release. No person, and no way around a gate."""

from dataclasses import asdict
from typing import Any

import pandas as pd
import yaml
from mlflow.entities.model_registry import ModelVersion
from prefect import flow, task

from ..config import paths
from ..config.files import write_text
from ..config.params import Params, read_params
from ..config.policy import Policy, read_policy
from ..data import snapshot
from ..errors import RefusedError, StageError
from ..events import Event, Kind
from ..operations.flow_logs import print_briefly
from ..operations.lock import exclusive_lock
from ..registry import artifact, certificate, history, models, uncertified
from ..registry.lifecycle import State
from ..training.evaluate import hold_out, slices
from ..training.model import «prediction»
from . import model_card, promotion, sbom
from .acceptance import run_tests
from .bento import build_bento
from .certify import certify
from .model_gates import ModelEvidence
from .package import package
from .package_gates import PackageEvidence, run_benchmark
from .promotion import NotFollowedError

print_briefly()


class NotApprovedError(RefusedError):
    """The version cannot be approved."""


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
        params = read_params()
        before, arms = history.state(version), map(models.version_of, (models.CHAMPION, promotion.CHALLENGER))
        if before is State.CERTIFIED and version in arms:
            return promotion.release(version, params.experiment)  # its delivery died in its release
        try:
            return _deliver(version, params)
        except (RefusedError, NotFollowedError) as error:
            # A service that does not answer is no verdict; but a model that silences a service twice is refused.
            final = isinstance(error, RefusedError) or before is State.INTERRUPTED
            history.record(version, State.REFUSED if final else State.INTERRUPTED, str(error))
            raise


def _deliver(version: str, params: Params) -> str:
    models.check_made_here(models.version(version))
    digest = build(version)
    promotion.stage(version)
    text = examine(version, digest, read_policy())
    certificate.check(text, certificate.seal(text), digest)
    history.record(version, State.CERTIFIED, "no gate stopped it")
    pack(version, digest)
    model_card.write(version, paths.RUNS / models.version(version).run_id)
    if params.approval == "manual":
        history.record(version, State.AWAITING_APPROVAL, "a person decides")
        return f"version {version} is certified and awaits approval"
    return promotion.release(version, params.experiment)


def finish() -> list[Event]:
    """Deliver the versions whose delivery was interrupted, as when the process died; return what came of each."""
    with exclusive_lock(paths.APP):  # a delivery that runs right now ends first
        uncertified.retire()
        left = history.undelivered()
    return [attempt(version) for version in left]  # one that is refused keeps no other waiting


def attempt(version: str) -> Event:
    """Deliver a version, and return what came of it: that a gate stops it is a verdict and no failure."""
    facts = {"version": version}
    try:
        return Event(Kind.DELIVERED, deliver(version), facts)
    except RefusedError as error:
        champion = models.version_of(models.CHAMPION)
        then = f"; version {champion} goes on answering" if champion else ""
        return Event(Kind.REFUSED, f"version {version} was refused: {error}{then}", facts)
    except StageError as error:
        return Event(Kind.INTERRUPTED, f"version {version} was not delivered: {error}", facts)


def approve(version: str) -> str:
    """Release a certified version that awaits a person's approval.

    Raises:
        NotApprovedError: it does not await one.
    """
    with exclusive_lock(paths.APP):
        if history.state(version) is not State.AWAITING_APPROVAL:
            raise NotApprovedError(f"version {version} does not await approval: list the versions with `models`")
        return promotion.release(version, read_params().experiment)


def _days(version: ModelVersion) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the days a version was trained on and the held-out days, from its snapshot."""
    table = pd.read_parquet(snapshot.table_of(version.run_id, version.tags["snapshot"]))
    return hold_out(table, _training_params(version)["holdout_days"])


def _training_params(version: ModelVersion) -> dict[str, Any]:
    """Return the parameters a version was trained with; those of today may be others."""
    return {name: yaml.safe_load(value) for name, value in models.training_of(version).params.items()}
