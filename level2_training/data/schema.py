"""What a flight is: the one place that says names, types, units and ranges."""

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

NEW_YORK = ZoneInfo("America/New_York")


FIRST, LAST = datetime(2000, 1, 1), datetime(2100, 1, 1)


def not_a_number(value: Any) -> Any:
    """Refuse seconds since 1970: they would be taken for local time."""
    if isinstance(value, datetime) or (isinstance(value, str) and re.match(r"\d{4}-", value)):
        return value
    raise ValueError("is no time: write it like 2013-03-01T06:30")


def to_local(moment: datetime) -> datetime:
    """Return the moment as local time in New York without an offset; one without an offset already is."""
    try:
        there = moment.astimezone(NEW_YORK) if moment.tzinfo else moment.replace(tzinfo=NEW_YORK)
        local = there.replace(tzinfo=None)
        exists = there.astimezone(UTC).astimezone(NEW_YORK).replace(tzinfo=None) == local
    except OverflowError as error:
        raise ValueError("is beyond the calendar") from error
    if not FIRST <= local < LAST:
        raise ValueError(f"is not between {FIRST.year} and {LAST.year}")
    if not exists:
        raise ValueError("does not exist in New York: the clocks skip this hour")
    return local


Local = Annotated[datetime, BeforeValidator(not_a_number), AfterValidator(to_local)]
Number = Annotated[float, Field(strict=True)]
Airport = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Flight(BaseModel):
    """A scheduled flight, and the newest weather at its origin an hour or more before departure (none: null)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    flight_id: str = Field(min_length=1, max_length=64)
    scheduled_departure: Local = Field(description="local time in New York")
    origin: Airport
    dest: Airport
    carrier: str = Field(pattern=r"^[A-Z0-9]{2}$", description="IATA code of the airline")
    flight: int = Field(strict=True, ge=1, le=9999, description="flight number")
    tailnum: str | None = Field(default=None, max_length=10, description="registration of the aircraft")
    distance: Number = Field(gt=0, le=12_000, description="miles")
    observed_at: Local | None = Field(default=None, description="time of the weather, local in New York")
    temp: Number | None = Field(default=None, ge=-60, le=130, description="°F")
    dewp: Number | None = Field(default=None, ge=-80, le=100, description="dew point, °F")
    humid: Number | None = Field(default=None, ge=0, le=100, description="relative humidity, %")
    wind_dir: Number | None = Field(default=None, ge=0, le=360, description="degrees")
    wind_speed: Number | None = Field(default=None, ge=0, le=250, description="miles per hour")
    wind_gust: Number | None = Field(default=None, ge=0, le=250, description="miles per hour")
    precip: Number | None = Field(default=None, ge=0, le=15, description="inches in an hour")
    pressure: Number | None = Field(default=None, ge=850, le=1100, description="millibars, at sea level")
    visib: Number | None = Field(default=None, ge=0, le=100, description="miles")

    @model_validator(mode="after")
    def weather_is_known(self) -> Self:
        """Refuse weather from after the departure: nobody can know it beforehand."""
        if self.observed_at and self.observed_at > self.scheduled_departure:
            raise ValueError("observed_at is after scheduled_departure")
        return self
