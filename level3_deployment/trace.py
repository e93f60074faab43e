"""From one answered prediction back to the raw file: every hash computed again, any break named."""

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from mlflow import MlflowClient
from mlflow.artifacts import download_artifacts

from . import certificate, registry, snapshot
from .artefact import digest_of
from .errors import StageError
from .predictions import last_answer
from .steps import DATA, REMOTE, SNAPSHOTS, STAGE


class BrokenTraceError(StageError):
    """The way back ends somewhere it should not."""


def trace(flight_id: str) -> Iterator[str]:
    """Yield the stations from the last answer for a flight to the file its flights were published in.

    Raises:
        BrokenTraceError: naming the station whose hash is not what the one before it says.
    """
    answer = last_answer(STAGE / "predictions.db", flight_id)
    if answer is None:
        raise BrokenTraceError(f"nobody asked about {flight_id}: ids look like 2013-07-01-B6939-JFK")
    late, asked_at, arm, model = (answer[key] for key in ("late_probability", "asked_at", "arm", "model"))
    yield f"answer       {late:.4f} at {asked_at}, {arm}, {model}"
    version = MlflowClient().get_model_version(registry.MODEL, model.partition("/")[2].partition("@")[0])
    _same("answer", model.partition("@")[2], version.tags["digest"][:12])
    with tempfile.TemporaryDirectory() as folder:
        text = Path(download_artifacts(f"runs:/{version.run_id}/certificate.json", dst_path=folder)).read_text()
        certificate.check(text, version.tags["certificate"], version.tags["digest"])
        yield f"certificate  {version.tags['certificate'][:12]}, all gates passed"
        package = Path(download_artifacts(f"runs:/{version.run_id}/package", dst_path=folder))
        _same("package", digest_of(package), version.tags["digest"])
        yield f"package      {version.tags['digest'][:12]}, computed again"
        tags, table = MlflowClient().get_run(version.run_id).data.tags, Path(folder, "table.parquet")
        yield f"run          {version.run_id}, trigger {tags['trigger']}, commit {tags['commit']}"
        snapshot.restore(tags["snapshot"], SNAPSHOTS, REMOTE, table)
        _same("snapshot", hashlib.md5(table.read_bytes()).hexdigest(), tags["snapshot"])  # noqa: S324 - as DVC does
        newest = pd.read_parquet(table, columns=["scheduled_departure"])["scheduled_departure"].max()
        yield f"snapshot     {tags['snapshot'][:12]}, computed again, flights up to {newest:%Y-%m-%d}"
    yield from _raw(flight_id, newest.strftime("%Y-%m-%d"))


def _raw(flight_id: str, day: str) -> Iterator[str]:
    """Yield the raw files: of the last day the model learned from, and of the flight itself."""
    for name in dict.fromkeys([day, flight_id[:10]]):
        dropped, collected = STAGE / "drop" / "flights" / f"{name}.parquet", DATA / "flights" / f"{name}.parquet"
        found = hashlib.sha256(dropped.read_bytes()).hexdigest()
        _same(f"raw file {dropped.name}", found, hashlib.sha256(collected.read_bytes()).hexdigest())
        yield f"raw file     {dropped.name}, sha256 {found[:12]}, as collected"


def _same(station: str, found: str, expected: str) -> None:
    if found != expected:
        raise BrokenTraceError(f"the trace breaks at the {station}: it is {found[:12]}, not {expected[:12]}")
