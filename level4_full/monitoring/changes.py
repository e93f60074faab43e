"""What is announced, or has changed, around the model since yesterday: whoever owns it hears of it, once.

The upstream announces other columns in `schema.json`, beside the folders that it publishes into, before the first
file that has them: `version`, `valid_from` (2013-10-01), and what there is of `renamed` (old name: new name),
`added`, `removed` (lists) and `retyped` (name: type).
"""

import json
from typing import Any

import pandas as pd
from mlflow.entities.model_registry import ModelVersion

from ..config import paths
from ..config.files import write_text
from ..config.policy import Policy
from ..events import Event, Kind
from ..training.surroundings import difference, packages


def changes(_: str, __: ModelVersion, ___: pd.DataFrame, policy: Policy) -> list[Event]:
    """Compare announcement and packages with those of the last morning; name the owner of what differs."""
    schema, events = paths.DROP / "schema.json", []
    announced = json.loads(schema.read_text()) if schema.exists() else {}
    now: dict[str, dict[str, Any]] = {"upstream": announced, "packages": packages()}
    known = json.loads(paths.KNOWN.read_text()) if paths.KNOWN.exists() else now | {"upstream": {}}
    for what, owner in policy.owners.items():
        if differing := difference(known[what], now[what]):
            words = ", ".join(f"{name} {old} → {new}" for name, (old, new) in differing.items())
            facts = {"cause": what, "owner": owner, "changed": differing}
            events.append(Event(Kind.CHANGED, f"CHANGED {what}, for the {owner}: {words}", facts))
    write_text(paths.KNOWN, json.dumps(now))
    return events
