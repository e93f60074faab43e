"""The days of the year, and periods of them."""

from dataclasses import dataclass
from datetime import date, timedelta

from ..base import StageError

FIRST_DAY, LAST_DAY = date(2013, 1, 1), date(2013, 12, 31)  # of the data
LIVE = date(
    2013, 3, 1
)  # when a stage usually begins to answer; the first model is trained on January and February
MIN_HISTORY = 28  # days: with less there is not enough to train on


@dataclass(frozen=True)
class Period:
    """Days of the year, first and last included; all that came before is history."""

    first: date
    last: date

    @property
    def length(self) -> int:
        """Return how many days there are."""
        return (self.last - self.first).days + 1

    @classmethod
    def of(cls, first: str, length: int) -> "Period":
        """Read a period from the command line.

        Raises:
            StageError: the first day is not a date, or the period does not fit into the year.
        """
        try:
            day = date.fromisoformat(first)
        except ValueError as error:
            raise StageError(f"FROM={first} is not a day: write it like 2013-03-01") from error
        earliest = FIRST_DAY + timedelta(days=MIN_HISTORY)
        last = day + timedelta(days=length - 1)
        if not (earliest <= day <= last <= LAST_DAY):
            raise StageError(
                f"{length} days from {day} do not fit: choose FROM from {earliest} on, and end by {LAST_DAY}"
            )
        return cls(day, last)
