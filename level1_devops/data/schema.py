"""What a flight is: the one place that says names, types, units and ranges."""

from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

NEW_YORK = ZoneInfo("America/New_York")


def to_local(moment: datetime) -> datetime:
    """Return the moment as local time in New York without an offset; one without an offset already is."""
    try:
        return moment.astimezone(NEW_YORK).replace(tzinfo=None) if moment.tzinfo else moment
    except OverflowError as error:
        raise ValueError("is beyond the calendar") from error


Local = Annotated[datetime, AfterValidator(to_local)]
Airport = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Flight(BaseModel):
    """A scheduled flight, and the newest weather at its origin an hour or more before departure (none: null)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    flight_id: str = Field(min_length=1, max_length=64)
    scheduled_departure: Local = Field(description="local time in New York")
    origin: Airport
    dest: Airport
    carrier: str = Field(pattern=r"^[A-Z0-9]{2}$", description="IATA code of the airline")
    flight: int = Field(ge=1, le=9999, description="flight number")
    tailnum: str | None = Field(default=None, max_length=10, description="registration of the aircraft")
    distance: float = Field(gt=0, le=12_000, description="miles")
    observed_at: Local | None = Field(default=None, description="time of the weather, local in New York")
    temp: float | None = Field(default=None, ge=-60, le=130, description="°F")
    dewp: float | None = Field(default=None, ge=-80, le=100, description="dew point, °F")
    humid: float | None = Field(default=None, ge=0, le=100, description="relative humidity, %")
    wind_dir: float | None = Field(default=None, ge=0, le=360, description="degrees")
    wind_speed: float | None = Field(default=None, ge=0, le=250, description="miles per hour")
    wind_gust: float | None = Field(default=None, ge=0, le=250, description="miles per hour")
    precip: float | None = Field(default=None, ge=0, le=15, description="inches in an hour")
    pressure: float | None = Field(default=None, ge=850, le=1100, description="millibars, at sea level")
    visib: float | None = Field(default=None, ge=0, le=100, description="miles")
