"""The one definition of the features, for training and serving alike; needs nothing but NumPy."""

from typing import Any

import numpy as np

CATEGORICAL = ["origin", "dest", "carrier"]
NUMERIC = ["distance", "temp", "dewp", "humid", "wind_dir", "wind_speed"]
NUMERIC += ["wind_gust", "precip", "pressure", "visib"]


def make_features(flights: Any) -> dict[str, np.ndarray]:
    """Turn columns of flights (a table, or lists by name) into the columns the model sees.

    Only what is known an hour before departure is used. Numbers are float32, as serving runtimes have them;
    None and NaN both mean missing.
    """
    departure = np.asarray(flights["scheduled_departure"], dtype="datetime64[m]")
    day = departure.astype("datetime64[D]")
    numbers = {
        "minute_of_day": (departure - day).astype(int),
        "weekday": (day.astype(int) + 3) % 7,  # 1970-01-01 was a Thursday: Monday is 0
        **{name: flights[name] for name in NUMERIC},
    }
    categories = {name: np.asarray(flights[name], dtype=object) for name in CATEGORICAL}
    return categories | {name: np.asarray(column, dtype=np.float32) for name, column in numbers.items()}
