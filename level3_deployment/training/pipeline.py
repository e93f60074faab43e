"""The training pipeline: which step follows which, by hand or by schedule."""

import json

import mlflow
from mlflow import MlflowClient
from prefect import flow

from ..config import paths
from ..config.params import lock_hash
from ..config.version import application_version
from ..errors import RefusedError
from ..operations.lock import exclusive_lock
from ..operations.readiness import wait_for_servers
from .tasks import collect_files, fit, judge, register, restore_snapshot, take_snapshot, validate

UNFINISHED = paths.RUNS / "unfinished"


@flow(name="training", flow_run_name="{trigger}-{run}")
def training(run: str, trigger: str, md5: str | None = None, until: str | None = None) -> str:
    """Collect, validate, snapshot, train, evaluate, register; return the new version.

    Args:
        run: the MLflow run to write to; the same one again goes on where it was.
        trigger: why the training was started.
        md5: train on this earlier snapshot instead of what is collected now.
        until: leave out flights from this day on.
    """
    with mlflow.start_run(run_id=run):
        if md5:
            path = restore_snapshot(run, md5)
        else:
            collect_files()
            path = validate(run, until)
        kept = take_snapshot(path)
        mlflow.set_tags(
            {"trigger": trigger, "snapshot": kept, "commit": application_version(), "lock": lock_hash()}
        )
        uri = fit(path)
        judge(path, uri)
        return str(register(uri, kept))


def start_training(trigger: str, md5: str | None = None, until: str | None = None) -> str:
    """Train, or go on with a training that was killed on the same day; return the new version.

    Whoever starts a training while another is at work waits for its end.

    Raises:
        RefusedError: nothing was registered, and the message says why.
    """
    wait_for_servers()
    with exclusive_lock(paths.RUNS):
        run = _unfinished(md5, until)
        try:
            version: str = training(run, trigger, md5, until)
        except RefusedError:
            UNFINISHED.unlink()
            raise
        UNFINISHED.unlink()
    return version


def _unfinished(md5: str | None, until: str | None) -> str:
    """Return the run that was killed on its way to the same thing, or else a new one."""
    newest = max((path.stem for path in paths.DROP.glob("*/*.parquet")), default="")
    asked = [md5, until, newest]  # on another day its data would be old
    left = json.loads(UNFINISHED.read_text()) if UNFINISHED.exists() else {}
    if not left or left["asked"] != asked:
        experiment = mlflow.set_experiment("training").experiment_id
        left = {"run": MlflowClient().create_run(experiment).info.run_id, "asked": asked}
        part = UNFINISHED.with_suffix(".part")
        part.write_text(json.dumps(left))
        part.replace(UNFINISHED)
    return str(left["run"])
