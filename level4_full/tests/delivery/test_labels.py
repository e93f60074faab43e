"""The labels of delays come in clusters; the gate refuses those that do not."""

import numpy as np
import pandas as pd
import pytest

from ...config.policy import read_policy
from ...delivery import model_gates
from ...delivery.model_gates import ModelEvidence
from ..conftest import make_flights

HOURS = pd.date_range("2013-03-17T06", periods=60, freq="h")


@pytest.mark.parametrize("clustered", [True, False])
def test_labels_without_clusters_are_refused(clustered: bool) -> None:
    """Storms delay whole hours of an airport; labels drawn by a coin do not know of them."""
    flights = make_flights(days=14, per_day=300)
    busy = pd.concat([flights.assign(scheduled_departure=hour) for hour in HOURS], ignore_index=True)
    busy = busy.groupby(["scheduled_departure", "origin"]).head(20).reset_index(drop=True)
    random = np.random.default_rng(0)
    storms = random.choice([0.05, 0.8], len(HOURS), p=[0.8, 0.2])
    stormy = busy["scheduled_departure"].map(dict(zip(HOURS, storms, strict=True)))
    late = random.random(len(busy)) < (stormy if clustered else 0.2)
    labelled = busy.assign(arrival_delay=np.where(late, 60.0, 0.0))
    evidence = ModelEvidence(labelled, late, None, {}, read_policy().promotion)
    passed, reason = model_gates.labels_are_sane(evidence)
    assert passed is clustered, reason
