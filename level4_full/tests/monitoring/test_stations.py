"""Faults of the weather and of the schedule in today's feed, and stations that report seldom."""

import numpy as np
import pandas as pd
import pytest

from ...config import paths
from ...data import corrections
from ...data.corrections import Correction
from .test_feed import TODAY, Change, examined, tags  # noqa: F401 - the last one is a fixture

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tags")]


def celsius(flights: pd.DataFrame) -> pd.DataFrame:
    """Publish °C, in a season in which that is no cold wave; only temperatures far from these look alike."""
    return flights.assign(temp=(flights["temp"] - 32) * 5 / 9, dewp=(flights["dewp"] - 32) * 5 / 9)


def in_utc(flights: pd.DataFrame) -> pd.DataFrame:
    return flights.assign(scheduled_departure=flights["scheduled_departure"] + pd.Timedelta("5h"))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (celsius, "°C"),
        (lambda flights: flights.assign(humid=flights["humid"] / 100), "a share of 1"),
        (in_utc, "UTC in winter"),
    ],
    ids=["celsius", "share", "utc"],
)
def test_a_fault_of_flights_is_known(change: Change, fault: str) -> None:
    today = examined(TODAY, change)
    assert (today.correction.transforms, today.correction.missing) == ([fault], [])
    assert corrections.read(paths.DATA)[TODAY] == today.correction


def test_no_gusts_all_day_are_the_same_without_a_type() -> None:
    usual = examined(TODAY, lambda flights: flights.assign(wind_gust=np.nan))
    today = examined(TODAY, lambda flights: flights.assign(wind_gust=None))
    assert today.statistics == pytest.approx(usual.statistics, nan_ok=True)
    assert (today.incomplete, today.correction.missing) == (usual.incomplete, usual.correction.missing)


def test_a_measure_that_is_gone_is_left_out_until_it_is_as_before() -> None:
    lost = lambda flights: flights.assign(visib=np.nan)  # noqa: E731
    assert examined(TODAY, lost).correction.missing == ["visib"]
    assert examined("2013-03-30", lost).correction.missing == ["visib"]  # not taken for the usual
    assert not examined("2013-03-31").correction


def test_sensors_that_are_stuck_are_noticed() -> None:
    stuck = lambda flights: flights.assign(temp=flights["temp"].where(flights["origin"] != "EWR", 60.0))  # noqa: E731
    today = examined(TODAY, stuck)
    assert "observations EWR" in today.suspicious
    assert "observations JFK" not in today.suspicious
    assert {"temp", "visib"} <= set(today.correction.missing)


def test_a_known_fault_is_undone_though_a_station_reports_seldom() -> None:
    def both(flights: pd.DataFrame) -> pd.DataFrame:
        seldom = flights.assign(temp=flights["temp"].where(flights["origin"] != "EWR", flights["temp"].mean()))
        return celsius(seldom)

    today = examined(TODAY, both)
    assert "observations EWR" in today.suspicious
    assert today.correction.transforms == ["°C"]
    assert "temp" in today.correction.missing  # of trainings only


def test_a_correction_says_what_was_wrong_and_what_was_done() -> None:
    correction = Correction("", {"temperature": "temp"}, ["°C"], ["visib"])
    assert str(correction) == (
        "temperature is read as temp; temp and dewp published as °C: put right; visib left out of trainings"
    )
