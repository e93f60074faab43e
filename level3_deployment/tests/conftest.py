"""What several tests need: libraries that do not call home, and made-up flights to learn from."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ..config.problem import ID, OUTCOME, OUTCOMES, ROWS, TIME
from .databases import address, postgresql  # noqa: F401 - fixtures

# Here and not in a fixture, because some libraries decide while they are imported.
os.environ |= {"DO_NOT_TRACK": "1", "DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
os.environ.setdefault("STAGE", "/dev/null")  # modules ask for it; whoever writes to one makes it
# On small tables threads cost more than they bring, and minutes when something else wants the processor too.
os.environ["OMP_NUM_THREADS"] = "1"


def make_flights(days: int, per_day: int = 200, first: str = "2013-03-01", seed: int = 0) -> pd.DataFrame:
    """Return plausible flights with how they ended: late in the evening, in wind, and with one of the airlines."""
    random, count = np.random.default_rng(seed), days * per_day
    day = np.repeat(pd.date_range(first, periods=days).to_numpy("datetime64[m]"), per_day)
    minute = random.integers(5 * 60, 24 * 60, count)
    departure = pd.Series(day + minute).astype("datetime64[ms]")
    carrier = random.choice(["UA", "B6", "EV", "DL"], count)
    flight = np.tile(np.arange(1, per_day + 1), days)
    origin = random.choice(["EWR", "JFK", "LGA"], count)
    wind = random.gamma(3, 4, count).round(1)
    score = (minute - 1000) / 200 + (wind - 15) / 10 + 2 * (carrier == "EV") + random.logistic(size=count)
    names = zip(departure.dt.strftime("%Y-%m-%d"), carrier, flight, origin, strict=True)
    table = pd.DataFrame(
        {
            "flight_id": [f"{day}-{carrier}{flight}-{origin}" for day, carrier, flight, origin in names],
            "scheduled_departure": departure,
            "origin": origin,
            "dest": random.choice(["BOS", "IAH", "LAX", "MIA", "ORD"], count),
            "carrier": carrier,
            "flight": flight,
            "tailnum": pd.Series(["N14228"] * count).where(random.random(count) > 0.01, None),
            "distance": random.integers(100, 5000, count),
            "observed_at": departure.dt.floor("h") - pd.Timedelta("1h"),
            "temp": random.normal(50, 15, count).round(2),
            "dewp": random.normal(35, 15, count).round(2),
            "humid": random.uniform(10, 100, count).round(2),
            "wind_dir": random.integers(0, 37, count) * 10.0,
            "wind_speed": wind,
            "wind_gust": np.where(wind > 20, wind * 1.4, np.nan),
            "precip": random.exponential(0.01, count).round(2),
            "pressure": random.normal(1017, 7, count).round(1),
            "visib": random.choice([10.0, 3.0], count),
            "arrival_delay": np.where(random.random(count) < 0.02, np.nan, (15 + 20 * score).clip(-80).round()),
        }
    )
    weather = table.columns[table.columns.get_loc("temp") : table.columns.get_loc("arrival_delay")]
    table.loc[random.random(count) < 0.01, weather] = np.nan
    return table


def write_days(table: pd.DataFrame, folder: Path) -> None:
    """Write the flights of each day, and how they ended, to a file each, as the upstream drops them."""
    for kind, columns in {ROWS: table.columns.drop(OUTCOME), OUTCOMES: [ID, OUTCOME]}.items():
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for day, rows in table.groupby(table[TIME].dt.date):
            rows[columns].to_parquet(folder / kind / f"{day}.parquet", index=False)


@pytest.fixture(scope="session")
def _flights() -> pd.DataFrame:
    return make_flights(days=14)


@pytest.fixture
def flights(_flights: pd.DataFrame) -> pd.DataFrame:
    """Return two weeks of made-up flights that landed, for a test to do with what it likes."""
    return _flights.dropna(subset=OUTCOME).reset_index(drop=True)
