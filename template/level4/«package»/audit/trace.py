"""Trace a prediction back to the raw file: every hash is computed again, and any break is named."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException

from ..config import paths
from ..config.database import Row
from ..config.problem import EXAMPLE, ROWS, TIME
from ..data import snapshot
from ..errors import StageError
from ..registry import certificate, models
from ..registry.artifact import DESCRIPTION, MODEL, STORED_AS, digest_of
from ..serving.calibration import recorded
from ..serving.prediction_log import last_prediction, open_log


class BrokenTraceError(StageError):
    """The trace breaks."""


def trace(instance_id: str) -> Iterator[str]:
    """Yield the steps from the last prediction for an instance back to the raw files.

    Raises:
        BrokenTraceError: naming the step that is missing, or whose hash is not what the step before it says.
    """
    logged = last_prediction(paths.PREDICTION_LOG, instance_id)
    if logged is None:
        raise BrokenTraceError(f"there is no prediction for {instance_id}: ids look like {EXAMPLE}")
    label, asked_at, arm, model = (logged[key] for key in ("«prediction»", "asked_at", "arm", "model"))
    yield f"prediction   {label:.4f} at {asked_at}, {arm}, {model}"
    if logged["repaired"]:
        yield f"repair       {logged['repaired']} instead of what was requested"
    if logged["calibration"]:
        yield _calibration(logged)
    version = models.version(models.number_of(model))
    _same("prediction", model.partition("@")[2], version.tags["digest"][:12])
    with tempfile.TemporaryDirectory() as folder:
        text = _fetch(version.run_id, "certificate.json", folder).read_text()
        certificate.check(text, version.tags["certificate"], version.tags["digest"])
        yield f"certificate  {version.tags['certificate'][:12]}, all gates passed"
        tests = json.loads(text)["tests"]
        _same("report of the tests", _sha256(_fetch(version.run_id, "tests.xml", folder)), tests["sha256"])
        _same("package of the tests", tests["package"], version.tags["digest"])
        yield f"tests        {tests['sha256'][:12]}, {tests['passed']} passed"
        package, _ = (
            _fetch(version.run_id, f"{STORED_AS}/{name}", folder).parent for name in (MODEL, DESCRIPTION)
        )
        _same("package", digest_of(package), version.tags["digest"])
        yield f"package      {version.tags['digest'][:12]}, computed again"
        tags, table = models.training_of(version).tags, Path(folder, "table.parquet")
        yield f"run          {version.run_id}, trigger {tags['trigger']}, commit {tags['commit']}"
        snapshot.restore(tags["snapshot"], paths.SNAPSHOTS, paths.REMOTE, table)
        _same("snapshot", hashlib.md5(table.read_bytes()).hexdigest(), tags["snapshot"])  # noqa: S324 - as DVC does
        newest = pd.read_parquet(table, columns=[TIME])[TIME].max()
        yield f"snapshot     {tags['snapshot'][:12]}, computed again, instances up to {newest:%Y-%m-%d}"
        recorded = json.loads(_fetch(models.first_run_on(tags["snapshot"]), "raw.json", folder).read_text())
    yield from _trained_on(recorded, newest.strftime("%Y-%m-%d"))
    repaired = json.loads(logged["repaired"] or "{}")
    yield from _published(repaired.get(TIME, logged[TIME])[:10])


def _calibration(logged: Row) -> str:
    """Check the intercept of a prediction against the record of its calibration."""
    with open_log(paths.PREDICTION_LOG) as log:
        intercept, facts = recorded(log, logged["calibration"], logged["model"])
    _same("calibration", f"{logged['intercept']:+.4f}", f"{intercept:+.4f}")
    made_from = f"{facts['instances']:,} instances, policy {facts['policy'][:12]}" if facts else "nothing: it is newer"
    return f"calibration  {logged['calibration']}, intercept {intercept:+.4f}, made from {made_from}"


def _trained_on(recorded: dict[str, str], newest: str) -> Iterator[str]:
    """Check every raw file up to the newest day of the snapshot against its hash at the time of the training."""
    names = [name for name in recorded if Path(name).stem <= newest]
    for name in names:
        _same(f"raw file {name}", _sha256(paths.DATA / name), recorded[name])
    last = f"{ROWS}/{newest}.parquet"
    yield f"raw file     {last}, sha256 {recorded[last][:12]}, and {len(names) - 1} others, as when it was trained"


def _published(day: str) -> Iterator[str]:
    """Check that the file the instance was published in is what was collected."""
    name = f"{ROWS}/{day}.parquet"
    published = _sha256(paths.DROP / name)
    _same(f"raw file {name}", published, _sha256(paths.DATA / name))
    yield f"raw file     {name}, sha256 {published[:12]}, as collected"


def _fetch(run: str, path: str, folder: str) -> Path:
    """Fetch an artifact of a run."""
    try:
        return Path(download_artifacts(f"runs:/{run}/{path}", dst_path=folder))
    except (MlflowException, OSError) as error:
        raise BrokenTraceError(f"the trace breaks: {path} of run {run} is missing") from error


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BrokenTraceError(f"the trace breaks: raw file {path} cannot be read ({error.strerror})") from error


def _same(step: str, actual: str, expected: str) -> None:
    if actual != expected:
        raise BrokenTraceError(f"the trace breaks at the {step}: it is {actual[:12]}, not {expected[:12]}")
