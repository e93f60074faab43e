"""The commands behind `make assess`."""

import argparse
import json
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

from ..base import StageError, levels
from ..console import console
from .ablation import ablate, read_groups
from .parallel import side_by_side
from .report import models
from .report.matrix import show, show_ablations, with_scores, write, write_evidence
from .report.record import read_assessment, update
from .runner import assess


def main() -> None:
    """Parse the command line and run one command."""
    parser = argparse.ArgumentParser(prog="python -m shared.assessment", description=__doc__)
    parser.add_argument("--level", type=int, help="this level only; the columns of all others stay as they are")
    parser.add_argument("--ablate", action="store_true", help="switch components off, and see which probes notice")
    parser.add_argument("--group", help="of ablations: this one only")
    parser.add_argument(
        "--write", action="store_true", help="only write the pages again, from what was found before"
    )
    parser.add_argument("--ids", help="let only these probes look, as in DAT-01,DAT-02; needs --to")
    parser.add_argument("--acts", help="play only these acts; needs --to")
    parser.add_argument("--to", type=Path, help="write what was found here, and no page")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        if arguments.to:
            ids, acts = (set(text.split(",")) if text else None for text in (arguments.ids, arguments.acts))
            tell = partial(_tell, arguments.level)
            arguments.to.write_text(json.dumps(assess(arguments.level, tell, ids, acts)))
        elif arguments.write:
            write_pages(read_assessment())
        elif arguments.ablate:
            ablate_all(arguments.level, arguments.group)
        else:
            assess_all(arguments.level)
    except StageError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("\nended")


def assess_all(chosen: int | None) -> None:
    """Assess all levels or one, and write what was found as it comes."""
    for level, found in side_by_side(sorted(levels()) if chosen is None else [chosen]):
        write_evidence(level, found["column"], found["told"])
        write_pages(update(read_assessment(), level, found["column"], found["seconds"]))
    show(read_assessment())


def _tell(level: int, act: str) -> None:
    console.print(f"  level {level}: {act}")


def ablate_all(chosen: int | None, group: str | None) -> None:
    """Play all groups of ablations or one level's, and write what was found as it comes."""
    for each in read_groups(chosen):
        if group in (None, each["group"]):
            assessment = read_assessment()
            answers = {row["id"]: row["answers"].get(str(each["level"]), "") for row in assessment["criteria"]}
            found = ablate(each, answers, console.print)
            again = {(one["id"], one["level"]) for one in found}
            kept = [one for one in assessment.get("ablations", []) if (one["id"], one["level"]) not in again]
            write_pages(
                assessment | {"ablations": sorted(kept + found, key=lambda one: (one["level"], one["id"]))}
            )
    show_ablations(read_assessment())


def write_pages(assessment: dict[str, Any]) -> None:
    """Write every page that is made of the assessment."""
    assessment = with_scores(assessment)
    write(assessment)
    models.write(assessment)


if __name__ == "__main__":
    main()
