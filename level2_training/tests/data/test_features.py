"""One definition of the features: what it gives for known flights, and that both of its users get the same."""

from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ...data.features import CATEGORICAL, NUMERIC, make_features
from ...data.schema import Flight
from ...serving.api import Request

# Ten real flights of 2013, with every day of the week, both changes of the clock, and all that can be missing.
# The columns are those of a flight, without its id.
REAL = """
2013-01-01T05:15 EWR IAH UA 1545 N14228 1400 2013-01-01T04:00 39.92 28.04 62.21 250 12.65858 - 0 1012.2 10
2013-01-01T23:59 JFK SJU B6 707 N794JB 1598 2013-01-01T22:00 28.94 10.94 46.41 320 16.11092 - 0 1016.4 10
2013-01-02T15:45 JFK LAX AA 133 - 2475 2013-01-02T14 35.06 10.94 36.26 300 13.809359999999998 21.86482 0 1017.5 10
2013-01-04T05:30 LGA IAH UA 404 N433UA 1416 2013-01-04T04:00 33.98 19.04 53.91 260 14.96014 24.16638 0 1017.7 10
2013-01-11T20:00 LGA ATL DL 1147 N654DL 762 2013-01-11T19:00 42.8 41 93.3 - 6.904679999999999 - 0.05 - 5
2013-03-10T05:40 JFK MIA AA 1141 N617AA 1089 2013-03-10T04:00 33.08 30.02 88.37 10 4.60312 - 0 1028 10
2013-07-27T01:06 EWR LGA US 1632 - 17 2013-07-27T00:00 69.98 64.94 84.04 200 6.904679999999999 - 0 1017.4 10
2013-08-22T10:02 EWR TPA UA 588 N835UA 997 2013-08-22T09:00 - - - 320 12.65858 - 0.13 - 7
2013-11-03T05:20 EWR IAH UA 322 N563UA 1400 2013-11-03T04:00 50 42.08 74.1 340 11.5078 - 0 1013 10
2013-12-30T22:19 JFK SJU B6 1203 N640JB 1598 - - - - - - - - - -
"""
MINUTES = [315, 1439, 945, 330, 1200, 340, 66, 602, 320, 1339]
WEEKDAYS = [1, 1, 2, 4, 4, 6, 5, 3, 6, 0]  # Monday is 0


@pytest.fixture
def real(tmp_path: Path) -> pd.DataFrame:
    """Return the real flights as training reads them."""
    moments = ["scheduled_departure", "observed_at"]
    names = list(Flight.model_fields)[1:]
    table = pd.read_csv(StringIO(REAL), sep=" ", names=names, na_values="-", parse_dates=moments)
    table["flight_id"] = [f"flight {n}" for n in range(len(table))]
    table.astype(dict.fromkeys(moments, "datetime64[ms]")).to_parquet(tmp_path / "day.parquet")
    return pd.read_parquet(tmp_path / "day.parquet")


def as_request(table: pd.DataFrame) -> Request:
    """Send the flights through JSON, the way the application gets them."""
    return Request.model_validate_json(f'{{"flights": {table.to_json(orient="records", date_format="iso")}}}')


def as_columns(request: Request) -> dict[str, list[object]]:
    return {name: [getattr(flight, name) for flight in request.flights] for name in Flight.model_fields}


def test_minute_and_weekday_of_known_flights_are_exact(real: pd.DataFrame) -> None:
    features = make_features(real)
    assert features["minute_of_day"].tolist() == MINUTES
    assert features["weekday"].tolist() == WEEKDAYS


def test_weekday_and_minute_agree_with_the_calendar_all_through_a_century() -> None:
    departure = pd.Series(pd.date_range("1950-01-01", "2050-12-31", freq="1003min"))
    columns = dict.fromkeys([*CATEGORICAL, *NUMERIC], departure.index)
    features = make_features(columns | {"scheduled_departure": departure})
    assert (features["weekday"] == departure.dt.weekday).all()
    assert (features["minute_of_day"] == departure.dt.hour * 60 + departure.dt.minute).all()


def test_seconds_do_not_reach_the_next_minute() -> None:
    departure = pd.Series(pd.to_datetime(["2013-03-03T23:59:59.999"]))
    columns = dict.fromkeys([*CATEGORICAL, *NUMERIC], departure.index)
    features = make_features(columns | {"scheduled_departure": departure})
    assert (features["minute_of_day"].item(), features["weekday"].item()) == (1439, 6)


def test_measures_and_categories_are_passed_on_as_they_are(real: pd.DataFrame) -> None:
    features = make_features(real)
    for name in NUMERIC:
        np.testing.assert_array_equal(features[name], real[name].to_numpy("float32"))
    for name in CATEGORICAL:
        assert features[name].tolist() == real[name].tolist()


def test_the_model_sees_these_columns_in_this_order_and_no_others(real: pd.DataFrame) -> None:
    assert " ".join(make_features(real)) == (
        "origin dest carrier minute_of_day weekday "
        "distance temp dewp humid wind_dir wind_speed wind_gust precip pressure visib"
    )


def test_numbers_are_float32_and_missing_ones_are_nan(real: pd.DataFrame) -> None:
    features = make_features(as_columns(as_request(real)))
    assert {str(column.dtype) for column in features.values()} == {"object", "float32"}
    missing = {name: int(np.isnan(features[name]).sum()) for name in NUMERIC}
    assert missing == {
        "distance": 0,
        "temp": 2,
        "dewp": 2,
        "humid": 2,
        "wind_dir": 2,
        "wind_speed": 1,
        "wind_gust": 8,
        "precip": 1,
        "pressure": 3,
        "visib": 1,
    }


def test_training_and_serving_see_the_same_features(real: pd.DataFrame) -> None:
    trained, served = make_features(real), make_features(as_columns(as_request(real)))
    assert list(trained) == list(served)
    for name in trained:
        np.testing.assert_array_equal(trained[name], served[name], err_msg=name)
