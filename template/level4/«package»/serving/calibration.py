"""The calibration: intercepts on the logits of models, made anew every morning; the models stay as certified."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

«% if kind == "binary" %»
from ..config.database import Database
«% else %»
from ..config.database import Database
from ..config.problem import LABEL_SCALE
«% endif %»

SCHEMA = """
CREATE TABLE IF NOT EXISTS calibrations (
  id TEXT NOT NULL,                -- the day it was made
  model TEXT NOT NULL,
  intercept REAL NOT NULL,
  facts TEXT NOT NULL,             -- JSON: what it was made from, and the policy whose limits it keeps
  PRIMARY KEY (id, model)
);
"""
«% if kind == "binary" %»
MAX_INTERCEPT = 0.8  # the service applies no larger one, whatever the registry says
«% else %»
MAX_INTERCEPT = LABEL_SCALE  # the service applies no larger one, whatever the registry says
«% endif %»
«% if kind == "binary" %»
SMALLEST = 1e-6  # probability that has a logit
«% else %»
«% endif %»


@dataclass(frozen=True)
class Calibration:
    """What is added to the logits of each model, by its name."""

    id: str | None = None  # the day it was made; None: there is none
    intercepts: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> "Calibration":
        """Read the calibration as the registry keeps it.

        Raises:
            ValueError: an intercept is beyond the limit.
        """
        calibration = cls(**json.loads(text))
        for model, intercept in calibration.intercepts.items():
            if not abs(intercept) <= MAX_INTERCEPT:
                raise ValueError(
                    f"the intercept {intercept} of {model} is beyond {MAX_INTERCEPT}: calibrate again"
                )
        return calibration

    def intercept(self, model: str) -> float:
        """Return what is added to the logits of a model."""
        return self.intercepts.get(model, 0.0)

    def apply(self, predictions: Mapping[str, list[float]]) -> dict[str, list[float]]:
        """Return the predictions of each model with its intercept."""
        return {model: calibrated(values, self.intercept(model)).tolist() for model, values in predictions.items()}


def calibrated(probabilities: list[float] | np.ndarray, intercept: float | np.ndarray) -> np.ndarray:
    """Return the probabilities with an intercept added to their logits; without one, exactly the same."""
    probabilities = np.asarray(probabilities)
«% if kind == "binary" %»
    return 1 / (1 + np.exp(-(logits(probabilities) + intercept))) if np.any(intercept) else probabilities
«% else %»
    return probabilities + intercept if np.any(intercept) else probabilities
«% endif %»


«% if kind == "binary" %»
def logits(probabilities: np.ndarray) -> np.ndarray:
    """Return the logits of probabilities."""
    clipped = np.clip(probabilities, SMALLEST, 1 - SMALLEST)
    return np.asarray(np.log(clipped / (1 - clipped)))
«% else %»
«% endif %»


def record(log: Database, calibration: Calibration, facts: Mapping[str, Any]) -> None:
    """Record a calibration beside the predictions that it will change; made again, it is replaced."""
    rows = [(calibration.id, model, value, json.dumps(facts)) for model, value in calibration.intercepts.items()]
    log.make(SCHEMA)
    with log.transaction():
        log.executemany(
            "INSERT INTO calibrations VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id, model) DO UPDATE SET intercept = excluded.intercept, facts = excluded.facts",
            rows,
        )


def recorded(log: Database, calibration: str, model: str) -> tuple[float, dict[str, Any]]:
    """Return the recorded intercept of a model, and what it was made from; a newer model has none."""
    log.make(SCHEMA)
    query = "SELECT intercept, facts FROM calibrations WHERE id = ? AND model = ?"
    for row in log.rows(query, [calibration, model]):
        return row["intercept"], json.loads(row["facts"])
    return 0.0, {}
