"""Simulate several scenarios side by side, each in a process, a workspace and on ports of its own."""

import shutil
import sys
from collections.abc import Sequence
from functools import partial

from .. import base
from ..base import StageError
from ..console import progress_bar
from ..parallel import in_parallel
from ..stack.stage import Stage
from ..world.dataset import load_year
from .scenario import NOBODY, Scenario


def simulate_all(scenarios: Sequence[Scenario], workers: int) -> None:
    """Simulate scenarios, so many at a time, in this order; one that fails keeps no other from its end.

    Raises:
        StageError: at the end, if any has failed; all others are kept.
    """
    load_year(base.WORKSPACES / "year")  # made once, before several want it
    failed: list[Scenario] = []
    with progress_bar() as progress:
        bars = {
            scenario: progress.add_task(str(scenario), start=False, total=scenario.period.length)
            for scenario in scenarios
        }
        say = partial(progress.console.print, markup=False)

        def show_days() -> None:
            for scenario, bar in bars.items():
                if days := scenario.days_over():
                    progress.start_task(bar)
                    progress.update(bar, completed=days)

        def ended(scenario: Scenario, code: int) -> None:
            show_days()
            if code:
                failed.append(scenario)
            else:
                shutil.rmtree(scenario.workspace())  # a year of a stage can be a gigabyte

        in_parallel(
            [(scenario, command(scenario)) for scenario in scenarios],
            workers,
            lambda scenario, line: say(f"{scenario}: {line.strip()}"),
            ended,
            show_days,
        )
    if failed:
        names = "; ".join(map(str, failed))
        raise StageError(
            f"{len(failed)} of {len(scenarios)} simulations failed, their errors stand above: {names}"
        )


def command(scenario: Scenario) -> list[str]:
    """Return the command that simulates a scenario on ports of its own."""
    incidents = ",".join(incident.id for incident in scenario.incidents) or "none"
    period = ["--from", str(scenario.period.first), "--days", str(scenario.period.length)]
    what = [str(scenario.level), *period, "--incidents", incidents, "--people", scenario.people]
    return ["env", *_ports(scenario), sys.executable, "-m", "shared", "simulate", *what]


def _ports(scenario: Scenario) -> list[str]:
    """Return ports that no other kind of scenario of this level has."""
    stage, kind = Stage(scenario.level), bool(scenario.injected) + 2 * (scenario.people == NOBODY)
    return [f"{name}={int(stage.environment[name]) + 10 * kind}" for name in stage.description["ports"]]
