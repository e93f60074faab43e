"""The training pipeline: its tasks and their order."""

import json

import mlflow
from mlflow import MlflowClient
from prefect import flow

from ..config import paths
from ..config.environment import check_environment
from ..config.files import write_text
from ..config.params import lock_hash, read_params
from ..config.version import application_version
from ..errors import RefusedError
from ..operations.flow_logs import print_briefly
from ..operations.lock import exclusive_lock
from ..operations.readiness import wait_for_servers
from .recipe import recipe_of
from .refit import refit
from .tasks import collect_files, fit, judge, register, restore_snapshot, take_snapshot, validate

UNFINISHED = paths.RUNS / "unfinished"
print_briefly()


@flow(name="training", flow_run_name="{trigger}-{run}")
def training(run: str, trigger: str, md5: str | None = None, until: str | None = None) -> str:
    """Collect, validate, snapshot, train, evaluate, refit, register; return the new version.

    Args:
        run: the MLflow run to write to; a run that was interrupted is resumed.
        trigger: what started the training.
        md5: train on this earlier snapshot instead of what is collected now.
        until: leave out flights from this day on.
    """
    params = read_params()
    with mlflow.start_run(run_id=run):
        if md5:
            path = restore_snapshot(run, md5)
        else:
            collect_files()
            path = validate(run, until, params.holdout_days)
        md5 = take_snapshot(path)
        mlflow.set_tags(
            {"trigger": trigger, "snapshot": md5, "commit": application_version(), "lock": lock_hash()}
            | {"recipe": recipe_of(params.model)}
        )
        uri = fit(path, params)
        judge(path, uri, params.holdout_days)
        return str(register(refit(path, uri, params), md5))


def start_training(trigger: str, md5: str | None = None, until: str | None = None) -> str:
    """Train, or resume a training that was killed on the same day; return the new version.

    A training that is started while another one runs waits until that one has ended.

    Raises:
        RefusedError: no version was registered; the message says why.
    """
    check_environment()
    wait_for_servers()
    with exclusive_lock(paths.RUNS):
        run = _unfinished(trigger, md5, until)
        try:
            version: str = training(run, trigger, md5, until)
        except RefusedError:
            UNFINISHED.unlink()
            raise
        UNFINISHED.unlink()
    return version


def _unfinished(trigger: str, md5: str | None, until: str | None) -> str:
    """Return the run of an interrupted training of the same data, or else a new run."""
    newest = max((path.stem for path in paths.DROP.glob("*/*.parquet")), default="")
    data = [md5, until, newest]  # on another day there are newer data
    unfinished = json.loads(UNFINISHED.read_text()) if UNFINISHED.exists() else {}
    if not unfinished or unfinished["data"] != data:
        if unfinished:  # nobody goes on with it
            MlflowClient().set_terminated(unfinished["run"], "KILLED")
        experiment = mlflow.set_experiment("training").experiment_id
        named = f"{trigger}, data to {newest}"
        unfinished = {"run": MlflowClient().create_run(experiment, run_name=named).info.run_id, "data": data}
        write_text(UNFINISHED, json.dumps(unfinished))
    return str(unfinished["run"])
