"""What surrounds a training beside its rows: people who judge a model see what else has changed."""

from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient

from ..config.environment import installed

Named = dict[str, Any]
FILE = "surroundings.json"


def difference(before: Named, now: Named) -> Named:
    """Return what differs, by name: what it was, and what it is."""
    names = sorted(before.keys() | now.keys())
    return {name: [before.get(name), now.get(name)] for name in names if before.get(name) != now.get(name)}


def changed_since(run: str | None, table: pd.DataFrame) -> dict[str, Named]:
    """Log packages and columns with the training; return how they differ from those of an earlier run."""
    now: dict[str, Named] = {
        "packages": installed(),
        "columns": dict(zip(map(str, table), map(str, table.dtypes), strict=True)),
    }
    mlflow.log_dict(now, FILE)
    if not run or FILE not in [file.path for file in MlflowClient().list_artifacts(run)]:
        return {}
    before = mlflow.artifacts.load_dict(f"runs:/{run}/{FILE}")
    return {kind: difference(before[kind], now[kind]) for kind in now}
