"""From one answered prediction back to the raw file: every hash computed again, any break named."""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts
from mlflow.exceptions import MlflowException

from ..config import paths
from ..data import snapshot
from ..errors import StageError
from ..registry import certificate, models
from ..registry.artifact import DESCRIPTION, MODEL, digest_of
from ..serving.prediction_log import last_answer


class BrokenTraceError(StageError):
    """The way back ends somewhere it should not."""


def trace(flight_id: str) -> Iterator[str]:
    """Yield the stations from the last answer for a flight to the file its flights were published in.

    Raises:
        BrokenTraceError: naming the station that is missing, or whose hash is not what the one before it says.
    """
    answer = last_answer(paths.PREDICTION_LOG, flight_id)
    if answer is None:
        raise BrokenTraceError(f"nobody asked about {flight_id}: ids look like 2013-07-01-B6939-JFK")
    late, asked_at, arm, model = (answer[key] for key in ("late_probability", "asked_at", "arm", "model"))
    yield f"answer       {late:.4f} at {asked_at}, {arm}, {model}"
    version = models.version(models.number_of(model))
    _same("answer", model.partition("@")[2], version.tags["digest"][:12])
    with tempfile.TemporaryDirectory() as folder:
        text = _kept(version.run_id, "certificate.json", folder).read_text()
        certificate.check(text, version.tags["certificate"], version.tags["digest"])
        yield f"certificate  {version.tags['certificate'][:12]}, all gates passed"
        tested = json.loads(text)["tests"]
        _same("report of the tests", _sha256(_kept(version.run_id, "tests.xml", folder)), tested["sha256"])
        _same("package of the tests", tested["package"], version.tags["digest"])
        yield f"tests        {tested['sha256'][:12]}, {tested['passed']} passed"
        package, _ = (_kept(version.run_id, f"package/{name}", folder).parent for name in (MODEL, DESCRIPTION))
        _same("package", digest_of(package), version.tags["digest"])
        yield f"package      {version.tags['digest'][:12]}, computed again"
        tags, table = MlflowClient().get_run(version.run_id).data.tags, Path(folder, "table.parquet")
        yield f"run          {version.run_id}, trigger {tags['trigger']}, commit {tags['commit']}"
        snapshot.restore(tags["snapshot"], paths.SNAPSHOTS, paths.REMOTE, table)
        _same("snapshot", hashlib.md5(table.read_bytes()).hexdigest(), tags["snapshot"])  # noqa: S324 - as DVC does
        newest = pd.read_parquet(table, columns=["scheduled_departure"])["scheduled_departure"].max()
        yield f"snapshot     {tags['snapshot'][:12]}, computed again, flights up to {newest:%Y-%m-%d}"
        recorded = json.loads(_kept(_first_run_on(tags["snapshot"]), "raw.json", folder).read_text())
    yield from _learned_from(recorded, newest.strftime("%Y-%m-%d"))
    yield from _asked_about(flight_id[:10])


def _learned_from(recorded: dict[str, str], newest: str) -> Iterator[str]:
    """Check every raw file up to the newest day of the snapshot against its hash at the time of the training."""
    names = [name for name in recorded if Path(name).stem <= newest]
    for name in names:
        _same(f"raw file {name}", _sha256(paths.DATA / name), recorded[name])
    last = f"flights/{newest}.parquet"
    yield f"raw file     {last}, sha256 {recorded[last][:12]}, and {len(names) - 1} others, as when it was trained"


def _asked_about(day: str) -> Iterator[str]:
    """Check that the file the flight was published in is what was collected."""
    name = f"flights/{day}.parquet"
    found = _sha256(paths.DROP / name)
    _same(f"raw file {name}", found, _sha256(paths.DATA / name))
    yield f"raw file     {name}, sha256 {found[:12]}, as collected"


def _first_run_on(md5: str) -> str:
    """Return the run that took a snapshot: the one that saw the raw files, whoever trained on it again."""
    client = MlflowClient()
    experiments = [each.experiment_id for each in client.search_experiments()]
    runs = client.search_runs(experiments, f"tags.snapshot = '{md5}'", order_by=["start_time ASC"], max_results=1)
    return str(runs[0].info.run_id)


def _kept(run: str, path: str, folder: str) -> Path:
    """Fetch what a run has kept."""
    try:
        return Path(download_artifacts(f"runs:/{run}/{path}", dst_path=folder))
    except (MlflowException, OSError) as error:
        raise BrokenTraceError(f"the trace breaks: {path} of run {run} is missing") from error


def _sha256(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise BrokenTraceError(f"the trace breaks: raw file {path} cannot be read ({error.strerror})") from error


def _same(station: str, found: str, expected: str) -> None:
    if found != expected:
        raise BrokenTraceError(f"the trace breaks at the {station}: it is {found[:12]}, not {expected[:12]}")
