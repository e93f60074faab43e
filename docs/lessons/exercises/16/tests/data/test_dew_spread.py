"""The feature of the exercise: how far the air is from fog."""

import numpy as np
import pandas as pd

from ...data.features import make_features


def test_the_dew_spread_is_temperature_minus_dew_point() -> None:
    table = pd.DataFrame({"temp": [71.1, 50.0], "dewp": [70.0, np.nan]})
    others = ["distance", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
    table = table.assign(**dict.fromkeys(others, 0.0), scheduled_departure="2013-07-01T05:45")
    features = make_features(table.assign(origin="JFK", dest="BQN", carrier="B6"))
    assert "dew_spread" in features, "make_features has no dew_spread"
    assert features["dew_spread"].dtype == np.float32
    np.testing.assert_allclose(features["dew_spread"], [1.1, np.nan], rtol=1e-5)


def test_a_request_gives_it_too() -> None:
    others = ["distance", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
    request = {name: [0.0] for name in others} | {"temp": [60.0], "dewp": [None], "origin": ["JFK"]}
    features = make_features(
        request | {"dest": ["BQN"], "carrier": ["B6"], "scheduled_departure": ["2013-07-01T05:45"]}
    )
    assert np.isnan(features["dew_spread"]).all()
