"""Two more days: a station is stuck, callers send °C and are slow, and the upstream announces a change."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta

import httpx

from ...stack.stage import Event
from ...world.incidents import INCIDENTS, publish
from .context import Context

SLOW, SECONDS = 20, 1.6  # requests whose body takes so long: at any level, no other takes half of that
STUCK, NEW_NAME = "EWR", "temperature"  # the station of `stuck`, and a column to come
ANNOUNCED = {"version": 2, "valid_from": "2013-11-01", "renamed": {"temp": NEW_NAME}}


@dataclass
class Watched:
    """What the daily runs reported on the day of the faults, and on the one after."""

    same_day: list[Event]
    next_day: list[Event]


def watch_two_days(context: Context, last: date) -> Watched:
    """Let a day with faults pass, and the one after it.

    Args:
        context: of the scenario.
        last: the last day that was played.
    """
    day, following = last + timedelta(days=1), last + timedelta(days=2)
    station = INCIDENTS["stuck"].starting(day)
    publish(context.year, day, context.workspace / "drop", [station])
    (context.workspace / "drop" / "schema.json").write_text(json.dumps(ANNOUNCED))
    same_day = context.run_day(day)
    if "PORT" in context.stage.environment:
        with ThreadPoolExecutor(SLOW) as pool:
            list(pool.map(lambda _: _ask_slowly(context, day), range(SLOW)))
        flights = context.year.flights_of(day)
        celsius = flights.assign(temp=((flights["temp"] - 32) / 1.8).round(2))
        context.stage.ask(day, celsius.to_json(orient="records", date_format="iso"))
    context.publish(following)
    return Watched(same_day, context.run_day(following))


def _ask_slowly(context: Context, day: date) -> None:
    flights = context.year.flights_of(day).head(1).to_json(orient="records", date_format="iso")

    def body() -> Iterator[bytes]:
        yield b'{"flights": '
        time.sleep(SECONDS)
        yield flights.encode() + b"}"

    kind = {"content-type": "application/json"}
    with suppress(httpx.HTTPError):  # a level may refuse to wait
        httpx.post(
            context.stage.fill("http://127.0.0.1:${PORT}/predict"), content=body(), headers=kind, timeout=30
        )
