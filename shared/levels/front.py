"""What the README says in figures: what each level adds, costs and brings, and what the first command prints."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..base import ROOT, StageError
from ..markdown import table
from . import evidence, recording
from .lessons import Lesson

README, FRESH = Path("README.md"), Path("docs", "fresh.json")
PLACES = {  # in the README, by name; what stands between is written here
    name: (f"<!-- {name}: written by `make diffs` -->", f"<!-- end of {name} -->") for name in ("levels", "run")
}
LEVEL = 3  # of the first command
NO_GAP = "REL-12"  # no request fails while models are released and taken back
FIGURES = {  # rows of the scoreboard, by how the README names them
    "lines of code": "lines of code",
    "packages": "packages",
    "processes": "processes",
    "steps that people take in the year": "human steps",
    "log loss without incidents, lower is better": "log loss of the calm year",
    "log loss with incidents": "log loss of the year",
}
WHERE_TO_STOP = re.compile(r"^\d+\. When to stop: (.*)$", re.MULTILINE)


def filled(text: str, steps: Mapping[str, Sequence[Lesson]], root: Path = ROOT) -> str:
    """Return a README with its figures; a place that it does not have is left out.

    Raises:
        StageError: a place has no end.
    """
    for name, write in (("levels", levels(steps, root)), ("run", first_command(root))):
        begin, end = PLACES[name]
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if found and not closed:
            raise StageError(f"{README} has no {end}: what stands below it would be lost")
        text = f"{before}{begin}\n{write}\n{end}{after}" if found else text
    return text


def levels(steps: Mapping[str, Sequence[Lesson]], root: Path = ROOT) -> str:
    """Return a table with a column for each level, and where to stop climbing."""
    known = evidence.rows(root / evidence.SCOREBOARD)
    rows = [[name, *(cell.partition(" / ")[0] for cell in known[row])] for name, row in FIGURES.items()]
    answers = evidence.criteria(root / evidence.ASSESSMENT)[NO_GAP]["answers"]
    rows.append(["every request is answered while models are released", *map(evidence.in_words, answers.values())])
    rows.append(["minutes to read the step: tour, chapters", "", *(minutes(each) for each in steps.values())])
    found = WHERE_TO_STOP.search((root / evidence.SCOREBOARD).read_text())
    stop = f"\n\n**Where to stop climbing.** {found[1][0].upper()}{found[1][1:]}" if found else ""
    return table(["", *(f"level {level}" for level in answers)], rows) + stop


def minutes(lessons: Sequence[Lesson]) -> str:
    """Return how long a step takes to read: its tour, and all of its chapters."""
    tour, *chapters = lessons
    return f"{tour.minutes}, {sum(chapter.minutes for chapter in chapters)}"


def first_command(root: Path = ROOT) -> str:
    """Return what the first command takes and prints."""
    fresh = json.loads((root / FRESH).read_text())
    command = recording.start_of(LEVEL)
    return (
        f"In a fresh clone on {fresh['cores']} cores, `{command} ONCE=1` takes {fresh['seconds']} seconds and "
        f"{fresh['megabytes']:,} MB, the packages included. Without `ONCE=1` it goes on serving, and prints\n\n"
        f"```text\n{recording.output_of(LEVEL, command, root)}\n```"
    )
