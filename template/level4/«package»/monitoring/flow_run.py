"""A flow run of the pool: Prefect's own engine, with the stage's files at hand.

A worker starts it in place of the engine. All is one process: once it is killed, the files are free.
"""

import runpy

from mlflow import MlflowClient

from ..operations.files import at_hand


def end_what_was_killed() -> None:
    """End trainings that go on for nobody: whoever has the files knows that no other one has begun."""
    client = MlflowClient()
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    for run in client.search_runs(experiments, "attributes.status = 'RUNNING'"):
        client.set_terminated(run.info.run_id, "KILLED")


def run() -> None:
    """Run what the environment names."""
    with at_hand(published_here=False):
        end_what_was_killed()
        runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    run()
