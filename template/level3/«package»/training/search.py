"""A small hyperparameter search, run on demand; every trial is a tracked run."""

import mlflow
from sklearn.model_selection import ParameterGrid

from ..config import paths
from ..config.params import read_params
from ..data.snapshot import load_table
from ..data.validate import check_files, check_values
from .evaluate import hold_out, quality
from .model import label_of, «prediction»
from .train import train


def search() -> str:
    """Try every combination that params.yaml lists, each as a run of its own; return the best one in words.

    The search changes no parameter: a person writes the chosen ones into params.yaml.
    """
    check_files(paths.DATA)
    table = load_table(paths.DATA)
    check_values(table)
    params = read_params()
    past, recent = hold_out(table, params.holdout_days)
    mlflow.set_experiment("search")
    trials = []
    with mlflow.start_run():
        for choice in ParameterGrid(params.search):
            with mlflow.start_run(nested=True):
                hyperparameters = params.model.model_dump() | choice
                mlflow.log_params(hyperparameters)
                model = train(past, hyperparameters)
                measured = quality(label_of(recent), «prediction»(model, recent))
                mlflow.log_metrics(measured)
                trials.append((measured["«loss»"], choice))
                print(f"{measured['«loss»']:.4f}  {choice}", flush=True)
        loss, best = min(trials, key=lambda trial: trial[0])
        mlflow.set_tag("best", str(best))
    return f"best: {loss:.4f}  {best}"
