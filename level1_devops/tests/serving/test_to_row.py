"""The features that the application computes: those of the note beside the model."""

import pytest

from ...data.schema import Flight
from ...serving.app import to_row
from ..example import EXAMPLE


@pytest.mark.parametrize(("moment", "minute"), [("2013-03-01T06:30:00", 390), ("2013-07-01T15:31:00Z", 691)])
def test_the_time_of_day_is_given_in_minutes_of_new_york(moment: str, minute: int) -> None:
    flight = Flight.model_validate(EXAMPLE | {"scheduled_departure": moment, "observed_at": None})
    assert to_row(flight)["minute_of_day"] == minute


def test_a_model_is_given_these_columns_and_no_others() -> None:
    assert set(to_row(Flight.model_validate(EXAMPLE))) == {
        *("origin", "dest", "carrier", "minute_of_day", "weekday", "distance", "temp", "dewp"),
        *("humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"),
    }
