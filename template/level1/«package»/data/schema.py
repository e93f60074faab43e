"""What an instance is: the one place that says names, types and ranges. All of it is a guess: look at it."""

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

FIRST, LAST = datetime(2000, 1, 1), datetime(2100, 1, 1)


def not_a_number(value: Any) -> Any:
    """Refuse seconds since 1970: they would be taken for another time."""
    if isinstance(value, datetime) or (isinstance(value, str) and re.match(r"\d{4}-", value)):
        return value
    raise ValueError("is no time: write it like 2024-03-01T06:30")


def to_plain(moment: datetime) -> datetime:
    """Return the moment without a zone: all times of this project are in one zone, which is nobody's to guess."""
    if moment.tzinfo:
        raise ValueError("has a time zone: send the time of the project's own zone, without an offset")
    if not FIRST <= moment < LAST:
        raise ValueError(f"is not between {FIRST.year} and {LAST.year}")
    return moment


Moment = Annotated[datetime, BeforeValidator(not_a_number), AfterValidator(to_plain)]
Number = Annotated[float, Field(strict=True)]


class Instance(BaseModel):
    """What is known about an instance when the question is asked (nothing: null)."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    «id»: str = Field(min_length=1, max_length=64)
    «time»: Moment
«% for column in columns %»
«% if column.type == "number" %»
    «column.name»: Number | None = Field(default=None, ge=«column.minimum», le=«column.maximum»)  # guess
«% elif column.nullable %»
    «column.name»: str | None = Field(default=None, max_length=«column.max_length»)  # guess
«% else %»
    «column.name»: str = Field(max_length=«column.max_length»)  # guess
«% endif %»
«% endfor %»
