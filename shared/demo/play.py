"""Play days through a stage: publish, run the day, let people do their steps, ask, and judge the predictions."""

import fcntl
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

from .. import base
from ..base import StageError, write_text
from ..console import console
from ..stack.lock import taken
from ..stack.operator import Operator
from ..stack.stage import Answer, Event, Stage
from ..world.dataset import Year, days, load_year
from ..world.incidents import Incident, feed, publish
from ..world.period import FIRST_DAY, Period
from ..world.quality import judge
from . import journal
from .live_view import LiveView

PLAYING = "playing.lock"  # in the workspace, held by who plays
SECONDS_TO_LOOK = 1.0  # the live page holds it for a moment when it looks
LAST_RUN = "last_daily_run"  # in the workspace: the last day that has run
QUALITY = {"log_loss": "log loss", "auc": "AUC"}


def play(stage: Stage, period: Period, started: float) -> dict[str, Answer]:
    """Play the days through a stage that is starting; write its summary, and return the answers by flight.

    Args:
        stage: prepared and started; it need not answer yet.
        period: the days to play.
        started: when its start began, on the monotonic clock, in seconds.

    Raises:
        StageError: a step failed, or a flight was not answered.
    """
    year, operator = load_year(base.WORKSPACES / "year"), Operator(stage)
    with alone(stage):
        for day in days(FIRST_DAY, period.first):
            publish(year, day, stage.workspace / "drop")
        live_view = LiveView(console, period.length)
        live_view.day_ran(period.first, run_day(stage, period.first))
        operator.release(period.first, first=True)
        for step in operator.done:
            console.print(f"  {step.role}: {step.does}")
        stage.wait_until_ready()
        answers, seconds = play_days(stage, year, period, live_view)
    _check_answered(year, period, answers)
    summary = summarise(stage, year, period, answers, seconds - started)
    write_text(stage.workspace / "summary.json", json.dumps(summary, indent=2) + "\n")
    return answers


def play_days(
    stage: Stage, year: Year, period: Period, live_view: LiveView, incidents: Sequence[Incident] = ()
) -> tuple[dict[str, Answer], float]:
    """Play the days; return the answers, and when the first came, on the monotonic clock.

    Args:
        stage: it answers.
        year: what is published.
        period: the days; of one that was stopped, what has been published or has run is not done again.
        live_view: where it is shown.
        incidents: what goes wrong; whoever asks takes the weather from the same feed, and may be told it is wrong.
    """
    operator, first_answer = Operator(stage), 0.0
    answers: dict[str, Answer] = {}
    with live_view.shown():
        for day in days(period.first, period.last):
            live_view.begin(day)
            if not (stage.workspace / "drop" / "flights" / f"{day}.parquet").exists():
                publish(year, day, stage.workspace / "drop", incidents)
            if not has_run(stage, day):
                live_view.scores.landed(year.outcomes_of(day - timedelta(days=1)))
                live_view.day_ran(day, run_day(stage, day))
            flights = feed(year, day, incidents)[f"flights/{day}"]
            try:
                operator.daily(day)
                given = stage.ask(day, flights.to_json(orient="records", date_format="iso"))
            except StageError as error:
                if not incidents:
                    raise
                live_view.say(f"{day}: {error}")
                given = {}
            first_answer = first_answer or time.monotonic()
            live_view.answered(given)
            wrong = [incident.story for incident in incidents if incident.on(day)]
            played = journal.day_of(day, wrong, live_view.ran.get(day, ()), given, year.outcomes_of(day))
            journal.write(stage.workspace, played)
            answers |= given
            write_text(stage.workspace / "last_day", str(day))
    return answers, first_answer


def run_day(stage: Stage, day: date) -> list[Event]:
    """Run a day, and keep that it has run; return its events."""
    events = stage.run_day(day)
    write_text(stage.workspace / LAST_RUN, str(day))
    return events


def has_run(stage: Stage, day: date) -> bool:
    """Tell whether a day has run in a stage."""
    last = stage.workspace / LAST_RUN
    return last.exists() and last.read_text() >= str(day)


@contextmanager
def alone(stage: Stage) -> Iterator[None]:
    """Let nobody else play days in this stage; whoever dies lets go of it."""
    with (stage.workspace / PLAYING).open("a") as lock:
        deadline = time.monotonic() + SECONDS_TO_LOOK
        while not taken(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise StageError("days are being played in this stage already: wait until they are over")
            time.sleep(0.01)
        yield


def is_playing(stage: Stage) -> bool:
    """Tell whether days are being played in a stage."""
    path = stage.workspace / PLAYING
    if not path.exists():
        return False
    with path.open("a") as lock:
        return not taken(lock, fcntl.LOCK_SH)


def _check_answered(year: Year, period: Period, answers: Mapping[str, Answer]) -> None:
    missing = set(year.outcomes.loc[str(period.first) : str(period.last), "flight_id"]) - set(answers)
    if missing:
        raise StageError(f"{len(missing)} flights were not answered, the first is {min(missing)}")


def summarise(
    stage: Stage, year: Year, period: Period, answers: Mapping[str, Answer], seconds: float | None = None
) -> dict[str, object]:
    """Say how good the answers were, and return it; `seconds` is how long the first took."""
    outcomes = year.outcomes.loc[str(period.first) : str(period.last)].set_index("flight_id")["arrival_delay"]
    late = {flight: answer.late_probability for flight, answer in answers.items()}
    judged = judge(outcomes[outcomes.index.isin(late)], late) if late else {}
    summary: dict[str, object] = {
        "level": stage.number,
        "from": str(period.first),
        "to": str(period.last),
        "flights": len(answers),
        **judged,
        "model": stage.model(),
    }
    first = ""
    if seconds is not None:
        summary["seconds_to_first_prediction"] = round(seconds, 1)
        first = f", first prediction after {seconds:.1f} s"
    how_well = ", ".join(f"{name} {judged[key]:.4f}" for key, name in QUALITY.items() if key in judged)
    console.print(
        f"[bold]{len(answers):,} flights, {period.first} to {period.last}: "
        f"{how_well or 'none was answered'}[/], model {summary['model']}{first}"
    )
    return summary


def show_next(stage: Stage) -> None:
    """Show what a running stage can be looked at and asked for."""
    console.print("\n[bold]Open[/]")
    for name, address in stage.description["addresses"].items():
        console.print(f"  {name}: {_short(stage.fill(address))}", soft_wrap=True)
    console.print("[bold]Try[/], in another terminal")
    for command in stage.description["try"]:
        console.print(f"  {_short(stage.fill(command))}", soft_wrap=True)


def _short(path: Path | str) -> str:
    return str(path).replace(f"{base.WORKSPACES.parent}/", "")
