"""Dates as text: 2013-03-01."""

from datetime import date, timedelta


def before(day: str, days: int) -> str:
    """Return the day that many days earlier."""
    return (date.fromisoformat(day) - timedelta(days=days)).isoformat()


def days_between(first: str, last: str) -> int:
    """Return how many days lie between two days."""
    return (date.fromisoformat(last) - date.fromisoformat(first)).days
