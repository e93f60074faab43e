"""The one definition of the features, for training and serving alike; needs nothing but NumPy."""

from typing import Any

import numpy as np

# guess: all columns; leave out what nobody knows in time, and what no model should use
CATEGORICAL: list[str] = «columns | selectattr("type", "equalto", "category") | map(attribute="name") | list»
NUMERIC: list[str] = «columns | selectattr("type", "equalto", "number") | map(attribute="name") | list»


def make_features(instances: Any) -> dict[str, np.ndarray]:
    """Turn columns of instances (a table, or lists by name) into the columns the model sees.

    Numbers are float32, as serving runtimes have them; None and NaN both mean missing. A category that is missing is
    a category of its own.
    """
    moment = np.asarray(instances["«time»"], dtype="datetime64[m]")
    day = moment.astype("datetime64[D]")
    numbers = {
«% if hours %»
        "minute_of_day": (moment - day).astype(int),
«% endif %»
        "weekday": (day.astype(int) + 3) % 7,  # 1970-01-01 was a Thursday: Monday is 0
        **{name: instances[name] for name in NUMERIC},
    }
    categories = {name: np.array([_text(value) for value in instances[name]], dtype=object) for name in CATEGORICAL}
    return categories | {name: np.asarray(column, dtype=np.float32) for name, column in numbers.items()}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
