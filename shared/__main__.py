"""The world's commands; each is a `make` target."""

import argparse
import signal
import sys
import time
from contextlib import suppress
from datetime import date, timedelta
from typing import TYPE_CHECKING

from .base import StageError
from .stack.cleanup import clean
from .stack.docker import build_images, open_stage
from .stack.operator import People
from .stack.stage import Stage, running
from .world.period import LIVE, Window

if TYPE_CHECKING:
    from .world.incidents import Incident


def main() -> None:  # noqa: PLR0912, PLR0915 - one branch more per command
    """Parse the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m shared", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    playing = commands.add_parser("play", help="bring a level up and play days through it")
    playing.add_argument("level", type=int)
    playing.add_argument("--from", dest="first", metavar="DAY")
    playing.add_argument("--days", type=int)
    playing.add_argument("--once", action="store_true", help="stop after the play")
    replaying = commands.add_parser(
        "replay", help="play part of the year with incidents and people, into a ledger"
    )
    replaying.add_argument("level", type=int)
    replaying.add_argument("--from", dest="first", metavar="DAY")
    replaying.add_argument("--days", type=int, default=30)
    replaying.add_argument("--incidents", default="none", metavar="A,B")
    replaying.add_argument("--people", default="usual", choices=["usual", "none"])
    scoring = commands.add_parser("scoreboard", help="play the year at every level, and write docs/scoreboard.*")
    scoring.add_argument("levels", type=int, nargs="*", help="play only these; whatever is finished is written")
    going_on = commands.add_parser("traffic", help="play more days in a running stage")
    going_on.add_argument("level", type=int)
    going_on.add_argument("--days", type=int, default=7)
    going_on.add_argument("--incidents", default="none", metavar="A,B")
    retraining = commands.add_parser("retrain", help="let people make and release a model in a running stage")
    retraining.add_argument("level", type=int)
    planting = commands.add_parser("candidate", help="train a planted candidate in a running stage")
    planting.add_argument("level", type=int)
    planting.add_argument("kind")
    building = commands.add_parser("image", help="build the images of what was committed last")
    building.add_argument("level", type=int)
    commands.add_parser("clean", help="remove what this project left in the container engine, after saying what")
    showing = commands.add_parser("diff", help="show what levels add to the ones below")
    showing.add_argument("first", metavar="FROM", nargs="?", default="")
    showing.add_argument("last", metavar="TO", nargs="?", default="")
    commands.add_parser("diffs", help="write the diffs in docs/diffs again")
    syncing = commands.add_parser("sync", help="carry the files of a level upward that should be the same")
    syncing.add_argument("level")
    arguments = parser.parse_args()
    try:
        match arguments.command:
            case "play":
                stage = open_stage(arguments.level)
                usual = stage.description["play"]
                length = usual["days"] if arguments.days is None else arguments.days
                window = Window.of(arguments.first or str(usual["from"]), length)
                play(stage, window, arguments.once)
            case "replay":
                replay(arguments)
            case "scoreboard":
                from .scoreboard.build import scoreboard

                for path in scoreboard(arguments.levels):
                    print(path)
            case "traffic":
                from .demo.more_days import go_on

                go_on(open_stage(arguments.level), arguments.days, arguments.incidents)
            case "retrain":
                retrain(open_stage(arguments.level))
            case "candidate":
                candidate(open_stage(arguments.level), arguments.kind)
            case "image":
                print(f"built {build_images(arguments.level)}")
            case "clean":
                clean()
            case "diff":
                diff(arguments.first, arguments.last)
            case "diffs":
                diffs()
            case "sync":
                sync(arguments.level)
    except StageError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nended")


def play(stage: Stage, window: Window, once: bool) -> None:
    """Bring a stage up, play the window through it, and serve until Ctrl-C."""
    started = time.monotonic()
    with running(stage):
        from .demo import play  # while the stage starts: this import takes a second

        print(f"{stage.package}: starting in {stage.workspace.relative_to(stage.workspace.parent.parent)}")
        play.play(stage, window, started)
        if not once:
            print("Serving until Ctrl-C.", flush=True)
            with suppress(KeyboardInterrupt):
                signal.pause()


def replay(arguments: argparse.Namespace) -> None:
    """Play part of the year through a level, and say how it went."""
    from .simulation.run import replay, show
    from .simulation.scenario import Play
    from .world.incidents import choose

    Stage(arguments.level)  # an unknown level is named before anything is read
    incidents = tuple(choose(arguments.incidents))
    first = arguments.first or str(first_day(incidents))
    window = Window.of(first, arguments.days)
    inside = tuple(each for each in incidents if each.first <= window.last and window.first <= each.last)
    if arguments.incidents != "all" and inside != incidents:
        raise StageError(
            "these days have no "
            + ", ".join(f"{i.id} ({i.first} to {i.last})" for i in incidents if i not in inside)
            + ": choose FROM and DAYS so that they do"
        )
    show(replay(Play(arguments.level, window, inside, arguments.people)))


def first_day(incidents: tuple["Incident", ...]) -> date:
    """Return a week before the first of the incidents, or when a stage usually goes live."""
    return max(LIVE, min(each.first for each in incidents) - timedelta(days=7)) if incidents else LIVE


def retrain(stage: Stage) -> None:
    """Let people make a new model from what a running stage has, and release it."""
    if not (stage.workspace / "env").exists():
        raise StageError(f"level {stage.number} has no stage: start one with `make level{stage.number}`")
    people = People(stage)
    people.release(date.today())
    if not people.done:
        print(f"level {stage.number} has no step for people here: it trains by itself when there is a reason to")
    stage.wait_until_ready()
    for step in people.done:
        print(f"{step.role}: {step.does}")


def candidate(stage: Stage, kind: str) -> None:
    """Let a running stage train a planted candidate, and say what came of it."""
    from .world.bad_models import plant

    outcome = plant(stage, kind)
    if not outcome.delivered:
        raise StageError(outcome.text)
    print(outcome.text)


def diff(first: str, last: str) -> None:
    """Show what the levels after `first` add, up to `last`; coloured on a terminal."""
    from .levels.diffs import render, steps_between

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `make diff | head` is no error
    for step in steps_between(first, last):
        print(render(step, sys.stdout.isatty()))


def diffs() -> None:
    """Write docs/diffs again."""
    from .levels.diffs import write

    for path in write():
        print(path)


def sync(level: str) -> None:
    """Carry the files of a level upward that should be the same there."""
    from .levels.consistency import sync

    for path in sync(level):
        print(f"copied to {path}")


if __name__ == "__main__":
    main()
