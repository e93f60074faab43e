"""Commands of the assessment; each is a `make` target."""

import json
import signal
import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ..base import StageError, levels
from ..console import console
from .ablation import ablate, read_groups
from .criteria import where as questionnaire
from .report import governance, matrix, models, where_page
from .report.record import read_assessment, update
from .runner import Result, assess
from .side_by_side import assess_all

commands = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)

Level = Annotated[int | None, typer.Option(help="this one only; the columns of all others stay as they are")]


@commands.command("assess")
def assess_levels(level: Level = None) -> None:
    """Assess all levels or one, and write the pages as results come."""
    started = time.monotonic()
    assess_all(sorted(levels()) if level is None else [level], _write_result)
    if level is None:
        _write_pages(read_assessment() | {"wall_seconds": round(time.monotonic() - started, 1)})
    matrix.show(read_assessment())


def _write_result(level: int, result: Result) -> None:
    matrix.write_evidence(level, result["column"], result["output"])
    _write_pages(update(read_assessment(), level, result["column"], result["seconds"]))


@commands.command("ablate")
def ablate_all(
    level: Level = None, group: Annotated[str | None, typer.Option(help="this one only")] = None
) -> None:
    """Switch components off, see which probes notice, and write the pages as results come."""
    for ablations in read_groups(level):
        if group in (None, ablations["group"]):
            assessment = read_assessment()
            number = str(ablations["level"])
            answers = {row["id"]: row["answers"].get(number, "") for row in assessment["criteria"]}
            results = ablate(ablations, answers, console.print)
            again = {(result["id"], result["level"]) for result in results}
            before = assessment.get("ablations", [])
            results += [result for result in before if (result["id"], result["level"]) not in again]
            results.sort(key=lambda result: (result["level"], result["id"]))
            _write_pages(assessment | {"ablations": results})
    matrix.show_ablations(read_assessment())


@commands.command()
def one(
    level: int,
    to: Path,
    ids: Annotated[str | None, typer.Option(help="run only these probes, such as DAT-01,DAT-02")] = None,
    parts: Annotated[str | None, typer.Option(help="run only these parts of the scenario")] = None,
) -> None:
    """Assess one level, and write its column to a file and to no page."""
    only_ids, only_parts = (set(names.split(",")) if names else None for names in (ids, parts))
    result = assess(level, partial(_tell, level), only_ids, only_parts)
    to.write_text(json.dumps(result))


def _tell(level: int, part: str) -> None:
    console.print(f"  level {level}: {part}")


@commands.command()
def pages() -> None:
    """Write the pages again, from what was found before."""
    _write_pages(read_assessment())


@commands.command()
def where(
    answers: Annotated[Path | None, typer.Argument(help="a YAML file; without one, you are asked")] = None,
) -> None:
    """Tell where you are: 26 questions, and what each maturity model makes of the answers."""
    given = questionnaire.read_answers(answers) if answers else questionnaire.ask_people()
    print(questionnaire.advise(questionnaire.understand(given)))


@commands.command("where-page")
def write_where_page() -> None:
    """Write the questions as a page that works from a file."""
    print(where_page.write())


def _write_pages(assessment: dict[str, Any]) -> None:
    assessment = matrix.with_scores(assessment)
    matrix.write(assessment)
    models.write(assessment)
    governance.write(assessment)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        commands()
    except StageError as error:
        sys.exit(str(error))
