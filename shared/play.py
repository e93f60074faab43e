"""Play days through a stage: publish, tick, let people do their steps, ask, and judge the answers."""

import json
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from .people import People
from .stage import WORKSPACES, Stage, StageError
from .upstream import LATE_MINUTES, Year, days, load_year, publish
from .window import FIRST_DAY, Window

console = Console(highlight=False)


def play(stage: Stage, window: Window, started: float) -> None:
    """Play the window through a stage that is starting; write its summary and show what to do next.

    Args:
        stage: prepared and started; it need not answer yet.
        window: the days to play.
        started: when its start began, on the monotonic clock, in seconds.

    Raises:
        StageError: a step failed, or a flight was not answered.
    """
    year = load_year(WORKSPACES / "world")
    for day in days(FIRST_DAY, window.first):
        publish(year, day, stage.workspace / "drop")
    _play_days(stage, People(stage), year, window, started)
    _show(stage)


def _play_days(stage: Stage, people: People, year: Year, window: Window, started: float) -> None:
    console.print(f"  {stage.tick(window.first)}", markup=False)
    people.release(window.first, first=True)
    for step in people.done:
        console.print(f"  {step.role}: {step.does}")
    stage.wait_until_ready()
    answers: dict[str, float] = {}
    seconds = 0.0
    with progress_bar() as progress:
        bar = progress.add_task("", total=(window.last - window.first).days + 1)
        for day in days(window.first, window.last):
            progress.update(bar, description=f"{day}")
            if day > window.first:
                publish(year, day, stage.workspace / "drop")
                progress.console.print(f"  {stage.tick(day)}", markup=False)
            people.daily(day)
            answers |= stage.ask(day, year.flights_of(day).to_json(orient="records", date_format="iso"))
            seconds = seconds or time.monotonic() - started
            progress.advance(bar)
    _summarise(stage, year, window, answers, seconds)


def _summarise(stage: Stage, year: Year, window: Window, answers: dict[str, float], seconds: float) -> None:
    outcomes = year.outcomes.loc[str(window.first) : str(window.last)].set_index("flight_id")["arrival_delay"]
    missing = outcomes.index.difference(pd.Index(answers))
    if len(missing):
        raise StageError(f"{len(missing)} flights were not answered, the first is {missing[0]}")
    summary = {
        "level": stage.number,
        "from": str(window.first),
        "to": str(window.last),
        "flights": len(answers),
        **judge(outcomes, answers),
        "model": stage.model(),
        "seconds_to_first_prediction": round(seconds, 1),
    }
    (stage.workspace / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    console.print(
        f"[bold]{summary['flights']:,} flights, {window.first} to {window.last}: "
        f"log loss {summary['log_loss']:.4f}, AUC {summary['auc']:.4f}[/], "
        f"model {summary['model']}, first prediction after {seconds:.1f} s"
    )


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
    return str(path).replace(f"{WORKSPACES.parent}/", "")


def progress_bar() -> Progress:
    """Return a bar of days."""
    return Progress(
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
