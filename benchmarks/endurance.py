"""A long run at level 4: processes are killed, the disk fills up, odd files come. What was lost? docs/endurance.*.

Every ten days a process of the stage is killed while the day runs, every seven days a file is not what it should
be and is published again, right, on the next day, and on one day no process can write to its disk. The process
manager is never killed: who ends it ends the stage.

Run: `python -m benchmarks.endurance [DAYS]`, 300 unless told otherwise, which takes half an hour.
"""

import json
import random
import shutil
import sqlite3
import sys
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import psutil

from shared import base
from shared.base import ROOT, StageError, write_text
from shared.console import progress_bar
from shared.stack.operator import Operator
from shared.stack.stage import Stage, running
from shared.world.dataset import Year, days, load_year
from shared.world.faults import fill_disk, free_disk
from shared.world.incidents import publish
from shared.world.period import FIRST_DAY

from .endurance_page import page
from .odd_files import FLIGHTS, ODD_FILES, OddFile

FIRST, DAYS, LEVEL = date(2013, 2, 1), 300, 4
KILL_EVERY, ODD_EVERY, LONGEST_DELAY = 10, 7, 6.0  # days, days, seconds after the day began
PATIENCE = 60.0  # seconds that whoever asks tries again while nobody answers
SMALLEST_SHOWN = 0.1  # MB
TROUBLE = ("failed", "refused", "alarm", "held")  # kinds of events that name one
FOLDER = ROOT / ".stage" / "bench"


@dataclass
class Account:
    """What happened, and what was acknowledged."""

    killed: list[dict[str, str]] = field(default_factory=list)
    odd: list[dict[str, Any]] = field(default_factory=list)
    full: str = ""  # the day on which the disk was
    unwatched: dict[str, str] = field(default_factory=dict)  # by day: what the check said
    unanswered: dict[str, str] = field(default_factory=dict)  # by day: what whoever asked was told
    repeated: dict[str, int] = field(default_factory=dict)  # a text of trouble: on how many days it was said
    acknowledged: Counter[tuple[str, str, float]] = field(default_factory=Counter)


def short(word: str) -> str:
    """Return a word of a command line without the path of this machine."""
    return Path(word).name if word.startswith("/") else word


class Killer(threading.Thread):
    """Kills one process of a stage, some seconds from now."""

    def __init__(self, stage: Stage, seed: random.Random) -> None:
        super().__init__(daemon=True)
        self.stage, self.seed, self.delay, self.killed = stage, seed, seed.uniform(0, LONGEST_DELAY), ""

    def run(self) -> None:
        """Wait, choose, kill."""
        time.sleep(self.delay)
        victim = self.seed.choice(self.stage.family()[1:])
        try:
            self.killed = " ".join(map(short, victim.cmdline()[1:6])) or victim.name()
            victim.kill()
        except psutil.NoSuchProcess:
            self.killed = ""


class LongRun:
    """Days through one stage, and an account of them."""

    def __init__(self, stage: Stage, year: Year, count: int) -> None:
        self.stage, self.year, self.count, self.account = stage, year, count, Account()
        self.random, self.texts = random.Random(2013), Counter[str]()  # noqa: S311 - no secret
        self.to_mend: list[Path] = []

    def day(self, number: int, day: date) -> None:
        """Publish, run and ask for one day, with the trouble that is due."""
        drop = self.stage.workspace / "drop"
        for path in self.to_mend:
            path.rmdir() if path.is_dir() else path.unlink()
        for past in (day - timedelta(days=1), day):
            publish(self.year, past, drop)
        self.to_mend = []
        if number % ODD_EVERY == ODD_EVERY - 1:
            self._publish_odd(ODD_FILES[number // ODD_EVERY % len(ODD_FILES)], day, drop)
        full = number == self.count // 2
        if full:
            self.account.full = str(day)
            fill_disk(self.stage)
        killer = Killer(self.stage, self.random) if number % KILL_EVERY == KILL_EVERY - 1 else None
        if killer:
            killer.start()
        self._read(day, self._run(day))
        self._ask(day)
        if killer:
            killer.join()
            if killer.killed:
                self.account.killed.append({"day": str(day), "process": killer.killed})
        if full:
            free_disk(self.stage)

    def _publish_odd(self, odd: OddFile, day: date, drop: Path) -> None:
        about = day if odd.kind == FLIGHTS else day - timedelta(days=1)
        table = self.year.flights_of(about) if odd.kind == FLIGHTS else self.year.outcomes_of(about)
        path = drop / odd.kind / f"{odd.name or about}.parquet"
        odd.write(path, table)
        self.to_mend = [path]
        entry = {"day": str(day), "what": odd.what, "file": f"{odd.kind}/{path.name}", "harmless": odd.harmless}
        self.account.odd.append(entry | {"named": []})

    def _run(self, day: date) -> list[Any]:
        while True:
            try:
                return self.stage.run_day(day)
            except StageError:  # what runs the days was killed: the schedule starts it again
                self.stage.start_daily_runs()

    def _read(self, day: date, events: list[Any]) -> None:
        if not any(event.kind == "checked" for event in events):
            failed = [event.text for event in events if event.kind == "failed"]
            self.account.unwatched[str(day)] = "; ".join(failed).replace(f"{ROOT}/", "")[:500]
        for event in events:
            if event.kind in TROUBLE:
                self.texts[event.text[:200]] += 1
                for odd in self.account.odd[-1:]:  # those before have been mended
                    if odd["file"] in event.text and str(day) not in odd["named"]:
                        odd["named"].append(str(day))

    def _ask(self, day: date) -> None:
        flights = self.year.flights_of(day).to_json(orient="records", date_format="iso")
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                answers = self.stage.ask(day, flights)
                break
            except httpx.TransportError as error:
                if time.monotonic() > deadline:
                    self.account.unanswered[str(day)] = repr(error)
                    return
                time.sleep(0.1)
            except StageError as error:
                self.account.unanswered[str(day)] = str(error)[:200]
                return
        for flight, answer in answers.items():
            self.account.acknowledged[flight, answer.model, answer.late_probability] += 1


def lost(log: Path, acknowledged: Counter[tuple[str, str, float]]) -> tuple[int, int]:
    """Return how many acknowledged answers are not in the prediction log, and how many rows it has."""
    with closing(sqlite3.connect(log)) as connection:
        rows = Counter(
            (flight, model, probability)
            for flight, model, probability in connection.execute(
                "SELECT flight_id, model, late_probability FROM predictions"
            )
        )
    return (acknowledged - rows).total(), rows.total()


def sizes(workspace: Path) -> dict[str, float]:
    """Return what each folder and file of a stage takes, in MB, the largest first."""
    taken = {path.name: size_of(path) / 1e6 for path in workspace.iterdir()}
    large = sorted(taken.items(), key=lambda item: -item[1])
    return {name: round(size, 1) for name, size in large if size > SMALLEST_SHOWN}


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def measure(count: int) -> dict[str, Any]:
    """Play so many days; return the account."""
    workspace = FOLDER / "e"
    shutil.rmtree(workspace, ignore_errors=True)
    stage, year = Stage(LEVEL, workspace), load_year(base.WORKSPACES / "year")
    run, began, grown = LongRun(stage, year, count), time.monotonic(), {}
    with running(stage), progress_bar() as progress:
        bar = progress.add_task("", total=count)
        for past in days(FIRST_DAY, FIRST):
            publish(year, past, workspace / "drop")
        stage.run_day(FIRST)
        Operator(stage).release(FIRST, first=True)
        stage.wait_until_ready()
        for number, day in enumerate(days(FIRST, FIRST + timedelta(days=count - 1))):
            progress.update(bar, description=str(day))
            run.day(number, day)
            progress.advance(bar)
            if number % 50 == 49:
                grown[str(day)] = sizes(workspace)
                print(f"{day}: {len(run.account.unwatched)} unwatched, {len(run.account.unanswered)} unanswered")
    run.account.repeated = {text: count for text, count in run.texts.most_common(15) if count > 1}
    missing, rows = lost(workspace / "predictions.db", run.account.acknowledged)
    account = asdict(run.account) | {
        "acknowledged": run.account.acknowledged.total(),
        "lost": missing,
        "rows": rows,
    }
    return account | {"days": count, "minutes": round((time.monotonic() - began) / 60), "sizes": grown}


def main() -> None:
    """Measure and write."""
    account = measure(int(sys.argv[1]) if len(sys.argv) > 1 else DAYS)
    write_text(ROOT / "docs" / "endurance.json", json.dumps(account, indent=1) + "\n")
    write_text(ROOT / "docs" / "endurance.md", page(account))
    print(
        json.dumps({name: account[name] for name in ("acknowledged", "lost", "unwatched", "unanswered")}, indent=1)
    )


if __name__ == "__main__":
    main()
