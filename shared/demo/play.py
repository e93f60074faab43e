"""Play days through a stage: publish, tick, let people do their steps, ask, and judge the answers."""

import fcntl
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from .. import base
from ..base import StageError, write_text
from ..console import console
from ..stack.operator import People
from ..stack.stage import Answer, Stage
from ..world.dataset import LATE_MINUTES, Year, days, load_year
from ..world.incidents import Incident, feed, publish
from ..world.period import FIRST_DAY, Window
from .live_view import Panel

MEASURES = {"log_loss": "log loss", "auc": "AUC"}  # of `judge`, in words


def play(stage: Stage, window: Window, started: float) -> None:
    """Play the window through a stage that is starting; write its summary and show what to do next.

    Args:
        stage: prepared and started; it need not answer yet.
        window: the days to play.
        started: when its start began, on the monotonic clock, in seconds.

    Raises:
        StageError: a step failed, or a flight was not answered.
    """
    year, people = load_year(base.WORKSPACES / "world"), People(stage)
    with alone(stage):
        for day in days(FIRST_DAY, window.first):
            publish(year, day, stage.workspace / "drop")
        panel = Panel(console, window.length)
        panel.say(tick(stage, window.first))
        people.release(window.first, first=True)
        for step in people.done:
            console.print(f"  {step.role}: {step.does}")
        stage.wait_until_ready()
        answers, seconds = play_days(stage, year, window, panel)
    _check_answered(year, window, answers)
    summary = summarise(stage, year, window, answers, seconds - started)
    write_text(stage.workspace / "summary.json", json.dumps(summary, indent=2) + "\n")
    _show(stage)


def play_days(
    stage: Stage, year: Year, window: Window, panel: Panel, trouble: Sequence[Incident] = ()
) -> tuple[dict[str, Answer], float]:
    """Play the days; return the answers, and when the first came, on the monotonic clock.

    Args:
        stage: it answers.
        year: what is published.
        window: the days; what has been published, or ticked, of one that was stopped is not done again.
        panel: where it is shown.
        trouble: what goes wrong; whoever asks takes the weather from the same feed, and may be told it is wrong.
    """
    people, first_answer = People(stage), 0.0
    answers: dict[str, Answer] = {}
    with panel.shown():
        for day in days(window.first, window.last):
            panel.begin(day)
            if not (stage.workspace / "drop" / "flights" / f"{day}.parquet").exists():
                publish(year, day, stage.workspace / "drop", trouble)
            if not ticked(stage, day):
                panel.scores.ended(year.outcomes_of(day - timedelta(days=1)))
                panel.say(tick(stage, day))
            flights = feed(year, day, trouble)[f"flights/{day}"]
            try:
                people.daily(day)
                given = stage.ask(day, flights.to_json(orient="records", date_format="iso"))
            except StageError as error:
                if not trouble:
                    raise
                panel.say(f"{day}: {error}")
                given = {}
            first_answer = first_answer or time.monotonic()
            panel.answered(given)
            answers |= given
            write_text(stage.workspace / "last_day", str(day))
    return answers, first_answer


def tick(stage: Stage, day: date) -> str:
    """Let a day happen, and keep that it has; return the level's words for it."""
    said = stage.tick(day)
    write_text(stage.workspace / "last_tick", str(day))
    return said


def ticked(stage: Stage, day: date) -> bool:
    """Tell whether a day has happened in a stage."""
    kept = stage.workspace / "last_tick"
    return kept.exists() and kept.read_text() >= str(day)


@contextmanager
def alone(stage: Stage) -> Iterator[None]:
    """Let nobody else play days in this stage; whoever dies lets go of it."""
    with (stage.workspace / "playing.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StageError("days are being played in this stage already: wait until they are over") from error
        yield


def _check_answered(year: Year, window: Window, answers: Mapping[str, Answer]) -> None:
    missing = set(year.outcomes.loc[str(window.first) : str(window.last), "flight_id"]) - set(answers)
    if missing:
        raise StageError(f"{len(missing)} flights were not answered, the first is {min(missing)}")


def summarise(
    stage: Stage, year: Year, window: Window, answers: Mapping[str, Answer], seconds: float | None = None
) -> dict[str, object]:
    """Say how good the answers were, and return it; `seconds` is how long the first took."""
    outcomes = year.outcomes.loc[str(window.first) : str(window.last)].set_index("flight_id")["arrival_delay"]
    late = {flight: answer.late_probability for flight, answer in answers.items()}
    judged = judge(outcomes[outcomes.index.isin(late)], late) if late else {}
    summary: dict[str, object] = {
        "level": stage.number,
        "from": str(window.first),
        "to": str(window.last),
        "flights": len(answers),
        **judged,
        "model": stage.model(),
    }
    first = ""
    if seconds is not None:
        summary["seconds_to_first_prediction"] = round(seconds, 1)
        first = f", first prediction after {seconds:.1f} s"
    how_well = ", ".join(f"{name} {judged[key]:.4f}" for key, name in MEASURES.items() if key in judged)
    console.print(
        f"[bold]{len(answers):,} flights, {window.first} to {window.last}: "
        f"{how_well or 'none was answered'}[/], model {summary['model']}{first}"
    )
    return summary


def judge(outcomes: "pd.Series[float]", answers: dict[str, float]) -> dict[str, float]:
    """Return log loss and AUC of the answers; flights that never arrived do not count."""
    from sklearn.metrics import log_loss, roc_auc_score  # takes seconds, and only the end needs it

    known = outcomes.dropna()
    late = (known >= LATE_MINUTES).to_numpy()
    probability = np.array([answers[flight] for flight in known.index])
    return {
        "log_loss": float(log_loss(late, probability, labels=[False, True])),
        "auc": float(roc_auc_score(late, probability)),
    }


def _show(stage: Stage) -> None:
    console.print("\n[bold]Open[/]")
    for name, address in stage.description["addresses"].items():
        console.print(f"  {name}: {_short(stage.fill(address))}", soft_wrap=True)
    console.print("[bold]Try[/], in another terminal")
    for command in stage.description["try"]:
        console.print(f"  {_short(stage.fill(command))}", soft_wrap=True)


def _short(path: Path | str) -> str:
    return str(path).replace(f"{base.WORKSPACES.parent}/", "")
