"""Commands of the project; each is a `make` target."""

import signal
import sys
import time
from contextlib import suppress
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .base import ROOT, StageError, levels
from .stack.engines import open_stage
from .world.period import LIVE, Period

if TYPE_CHECKING:
    from .world.incidents import Incident

commands = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)

FirstDay = Annotated[str | None, typer.Option("--from", metavar="DAY", help="the first day, such as 2013-03-01")]
Incidents = Annotated[str, typer.Option(metavar="A,B", help="what goes wrong; all of it, or none")]


class People(StrEnum):
    """Who works at a level once its first model serves."""

    USUAL = "usual"
    NONE = "none"


@commands.command()
def play(
    level: int,
    first: FirstDay = None,
    days: int | None = None,
    once: Annotated[bool, typer.Option("--once", help="stop after the days")] = False,
) -> None:
    """Bring a level up, play days through it, and serve until Ctrl-C."""
    from .live.process import shown
    from .stack.stage import running

    stage = open_stage(level)
    defaults = stage.description["play"]
    period = Period.of(first or str(defaults["from"]), defaults["days"] if days is None else days)
    started = time.monotonic()
    with running(stage), shown(stage) as address:
        from .demo.play import play, show_next  # while the stage starts: this import takes a second

        print(f"{stage.package}: starting in {stage.workspace.relative_to(stage.workspace.parent.parent)}")
        print(f"Watch it live: {address}")
        play(stage, period, started)
        if not once:
            show_next(stage)
            print("Serving until Ctrl-C.", flush=True)
            with suppress(KeyboardInterrupt):
                signal.pause()
    print(f"Stopped. `make level{level}` starts anew; without ONCE=1 it goes on serving.")


@commands.command()
def simulate(
    level: int,
    first: FirstDay = None,
    days: int = 30,
    incidents: Incidents = "none",
    people: People = People.USUAL,
) -> None:
    """Simulate part of the year with incidents and people, and keep what happened in an event log."""
    from .simulation.run import show, simulate
    from .simulation.scenario import Scenario
    from .stack.stage import Stage
    from .world.incidents import choose

    Stage(level)  # an unknown level is named before anything is read
    chosen = tuple(choose(incidents))
    period = Period.of(first or str(first_day(chosen)), days)
    inside = tuple(incident for incident in chosen if incident.overlaps(period))
    if incidents != "all" and inside != chosen:
        missing = [f"{left.id} ({left.first} to {left.last})" for left in chosen if left not in inside]
        raise StageError(f"these days have no {', '.join(missing)}: choose FROM and DAYS so that they do")
    scenario = Scenario(level, period, inside, people)
    simulate(scenario)
    show(scenario)


def first_day(incidents: tuple["Incident", ...]) -> date:
    """Return a week before the first of the incidents, or when a stage usually goes live."""
    return max(LIVE, min(incident.first for incident in incidents) - timedelta(days=7)) if incidents else LIVE


@commands.command()
def scoreboard(
    levels: Annotated[list[int] | None, typer.Argument(help="simulate only these")] = None,
    workers: Annotated[int, typer.Option(min=1, help="how many simulations run side by side")] = 1,
) -> None:
    """Simulate the year at every level, and write docs/scoreboard.*."""
    from .scoreboard.build import scoreboard

    for path in scoreboard(levels, workers):
        print(path)


@commands.command()
def traffic(level: int, days: int = 7, incidents: Incidents = "none") -> None:
    """Play more days in a running stage; without the name of an incident, list those to choose from."""
    from .demo.more_days import play_more
    from .world.incidents import MOVABLE

    if not incidents:
        print("\n".join(f"  KIND={incident.id:<13} {incident.story}" for incident in MOVABLE.values()))
        return
    play_more(open_stage(level), days, incidents)


@commands.command()
def live(level: int) -> None:
    """Serve the live page of a stage; `play` starts this."""
    from .live.page import port_of, serve

    stage = open_stage(level)
    serve(stage, port_of(stage))


@commands.command()
def retrain(level: int) -> None:
    """Let people make a new model from what a running stage has, and release it."""
    from .stack.operator import Operator

    stage = open_stage(level)
    if not (stage.workspace / "env").exists():
        raise StageError(f"level {level} has no stage: start one with `make level{level}`")
    operator = Operator(stage)
    operator.release(date.today())
    if not operator.done:
        print(f"level {level} has no step for people here: it trains by itself when there is a reason to")
    stage.wait_until_ready()
    for step in operator.done:
        print(f"{step.role}: {step.does}")


@commands.command()
def candidate(level: int, kind: str) -> None:
    """Let a running stage train a candidate with a seeded defect, and print what came of it."""
    from .world.bad_models import deliver_candidate

    print(deliver_candidate(open_stage(level), kind).text)


@commands.command()
def image(level: int) -> None:
    """Build the images of what was committed last."""
    from .stack.docker import build_images

    print(f"built {build_images(level)}")


@commands.command()
def carry(target: Path) -> None:
    """Pack the project with its packages and images, for machines without internet."""
    from .stack.carry import pack

    pack(target)


@commands.command()
def clean() -> None:
    """Remove what this project left in the container engine, after naming it."""
    from .stack.cleanup import clean

    clean()


@commands.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="FROM")] = "",
    last: Annotated[str, typer.Argument(metavar="TO")] = "",
) -> None:
    """Show what levels add to the ones below; coloured on a terminal."""
    from .levels.diffs import render, steps_between

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make diff | head` is no error
    for step in steps_between(first, last):
        print(render(step, sys.stdout.isatty()))


@commands.command()
def diffs() -> None:
    """Write docs/diffs, docs/steps and the pictures of the rooms again."""
    from .levels.pages import write

    for path in write():
        print(path)


@commands.command()
def kubernetes() -> None:
    """Write docs/kubernetes.md and the manifests in docs/kubernetes, unless the schemas refuse them."""
    from .kubernetes.page import write

    for path in write():
        print(path)


@commands.command()
def docs() -> None:
    """Build the documentation as a site."""
    from .site.build import build

    folder = build().relative_to(ROOT)
    print(f"The site is in {folder}. To read it, open http://127.0.0.1:8080 while this runs:")
    print(f"  .venv/bin/python -m http.server --bind 127.0.0.1 --directory {folder} 8080")


@commands.command()
def record(chosen: Annotated[list[int] | None, typer.Argument(metavar="LEVELS")] = None) -> None:
    """Run the commands that lessons show, and keep what they print."""
    from .levels.recording import record

    for level in chosen or levels():
        print(record(level))


@commands.command()
def exercise(number: Annotated[str, typer.Argument()] = "") -> None:
    """Make a working copy of a level with a hole in it; without a number, list the exercises."""
    from .levels import exercises

    if not number:
        print(exercises.listed())
        return
    this = exercises.exercise(number)
    exercises.begin(this)
    print(f"{this.title}\n\n{this.task}\n{this.how}")


@commands.command()
def check_exercise(number: Annotated[str, typer.Argument()] = "") -> None:
    """Say what an exercise still lacks."""
    from .levels import exercises

    this = exercises.exercise(number)
    missing = exercises.check(this)
    if not missing:
        print(f"all of it holds; compare with the worked answer: make solution N={number}")
        return
    print("\n".join(["not yet, since this does not hold:", *(f"  - {line}" for line in missing)]))
    sys.exit(1)


@commands.command()
def hint(number: Annotated[str, typer.Argument()] = "") -> None:
    """Give a hint about an exercise."""
    from .levels import exercises

    print(exercises.exercise(number).hint)


@commands.command()
def solution(number: Annotated[str, typer.Argument()] = "") -> None:
    """Show what the worked answer of an exercise has."""
    from .levels import exercises

    print(exercises.solution(exercises.exercise(number)), end="")


@commands.command()
def sync(level: Annotated[str, typer.Argument()]) -> None:
    """Carry the files of a level upward that should be the same there."""
    from .levels.consistency import sync

    for path in sync(level):
        print(f"copied to {path}")


@commands.command()
def new(  # noqa: PLR0913, PLR0917 - each is a variable of `make new`
    to: Path,
    level: Annotated[str, typer.Option()] = "3",
    name: Annotated[str, typer.Option()] = "",
    data: Annotated[str, typer.Option()] = "",
    target: Annotated[str, typer.Option()] = "",
    id_: Annotated[str, typer.Option("--id")] = "",
    time_: Annotated[str, typer.Option("--time")] = "",
    schedule: Annotated[str, typer.Option()] = "",
) -> None:
    """Make the repository of a project of one's own, which starts from a level."""
    from .new.create import make

    table = {"data": data, "target": target, "id": id_, "time": time_, "schedule": schedule}
    print(make(to, level, name or to.name, **table))


@commands.command()
def sbom(level: int) -> None:
    """Write the software bill of materials of a level."""
    from .new.sbom import write

    print(write(level))


@commands.command()
def template() -> None:
    """Write the template of such projects again, from the levels as they are."""
    from .new.template import write

    for path in write():
        print(path)


if __name__ == "__main__":
    try:
        commands()
    except StageError as error:
        sys.exit(str(error))
