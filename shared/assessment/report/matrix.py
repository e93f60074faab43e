"""Show the matrix on a terminal, and write it where readers look."""

import json
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table

from ...base import ROOT, levels, write_text
from ...console import console
from ..criteria.criteria import HERE, Answer
from ..criteria.score import estimate, score
from ..probes.probe import Column
from .record import ASSESSMENT

MATRIX = ROOT / "docs" / "matrix.md"
EVIDENCE = ROOT / "docs" / "evidence"
WORDS = {
    Answer.PRESENT: "yes",
    Answer.MANUAL: "by people",
    Answer.ABSENT: "no",
    Answer.ERROR: "error",
    Answer.UNPROBED: "not probed",
}
COLOURS = {
    Answer.PRESENT: "green",
    Answer.MANUAL: "yellow",
    Answer.ABSENT: "bright_black",
    Answer.ERROR: "bold red",
    Answer.UNPROBED: "magenta",
}
COMMAND = "make assess"
ABOUT = """\
A maturity model is a table of claims. Here each claim is a probe that plays a few days through every level and
looks at what happened: files, answers, runs, the registry. Written by `make assess`; do not edit.

**yes**: it happens by itself. **by people**: it happens when people do the steps of that level. **no**: neither,
while the level itself works. Each cell leads to what was seen. An exclamation mark: not what the sources expect at
that level, see [below](#not-as-expected). How each model reads the same cells: [models](models/README.md).
"""


def show(assessment: dict[str, Any]) -> None:
    """Print the matrix with colours; what was not expected is underlined."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("")
    numbers = [str(number) for number in sorted(levels())]
    for number in numbers:
        table.add_column(number, justify="center")
    for row in assessment["criteria"]:
        cells = []
        for number in numbers:
            answer = row["answers"].get(number)
            style = (
                f"{COLOURS[Answer(answer)]}{'' if answer == row['expected'][number] else ' underline'}"
                if answer
                else ""
            )
            cells.append(f"[{style}]{WORDS[Answer(answer)]}[/]" if answer else "")
        table.add_row(row["id"], row["says"], *cells)
    console.print(table)
    for each in differing(assessment):
        console.print(
            f"{each['id']} at level {each['level']}: {each['answer']}, expected {each['expected']}. "
            f"{each['says']}",
            markup=False, soft_wrap=True,
        )  # fmt: skip
    console.print(summary(assessment))


def show_ablations(assessment: dict[str, Any]) -> None:
    """Print what every probe answered with its component and without it."""
    table = Table("", "level", "with", "without", "", "switched off", box=None, pad_edge=False)
    for each in assessment.get("ablations", []):
        colour = "green" if each["flips"] else "bold red"
        verdict = "noticed" if each["flips"] else "NOT NOTICED"
        told = (str(each["level"]), each["with"], each["without"], f"[{colour}]{verdict}[/]", each["why"])
        table.add_row(each["id"], *told)
    console.print(table)
    console.print(ablations_summary(assessment))


def ablations_summary(assessment: dict[str, Any]) -> str:
    """Count the criteria whose probe noticed, and name those that nothing was switched off for."""
    tried = assessment.get("ablations", [])
    noticed = {each["id"] for each in tried if each["flips"]}
    without = [row["id"] for row in assessment["criteria"] if row["id"] not in {each["id"] for each in tried}]
    return (
        f"{len(noticed)} of {len(assessment['criteria'])} probes notice when their component is off; "
        f"{len({each['id'] for each in tried} - noticed)} do not, and {len(without)} have no ablation yet"
        f"{': ' + ', '.join(without) if without else ''}"
    )


def summary(assessment: dict[str, Any]) -> str:
    """Count the cells."""
    cells = [
        (answer, row["expected"][number])
        for row in assessment["criteria"]
        for number, answer in row["answers"].items()
    ]
    as_expected = sum(answer == expected for answer, expected in cells)
    by_state = {
        str(state): sum(answer == state for answer, _ in cells) for state in (Answer.ERROR, Answer.UNPROBED)
    }
    seconds = sum(assessment["seconds"].values())
    return (
        f"{len(cells)} cells: {as_expected} as expected, {len(cells) - as_expected} not (of these "
        f"{by_state['ERROR']} errors, "
        f"{by_state['UNPROBED']} not probed); {len(assessment['seconds'])} levels took {seconds / 60:.1f} minutes "
        "of playing, two at a time"
    )


def differing(assessment: dict[str, Any]) -> list[dict[str, str]]:
    """Return every cell that is not as expected, with what was seen and the reason, where it is known."""
    reasons = yaml.safe_load((HERE / "findings.yaml").read_text())
    return [
        {
            "id": row["id"],
            "level": number,
            "answer": answer,
            "expected": row["expected"][number],
            "says": row["evidence"][number]["says"],
            "reason": reasons.get(row["id"], {}).get(int(number), "no reason is known yet"),
        }
        for row in assessment["criteria"]
        for number, answer in row["answers"].items()
        if answer != row["expected"][number]
    ]


def write(assessment: dict[str, Any]) -> list[Path]:
    """Write docs/assessment.json and docs/matrix.md."""
    whole = assessment | {"findings": differing(assessment)}
    write_text(ASSESSMENT, json.dumps(whole, indent=1, ensure_ascii=False) + "\n")
    write_text(MATRIX, matrix(assessment))
    return [ASSESSMENT, MATRIX]


def numbers_of(assessment: dict[str, Any]) -> list[str]:
    """Return the levels that were assessed."""
    return sorted({number for row in assessment["criteria"] for number in row["answers"]})


def with_scores(assessment: dict[str, Any]) -> dict[str, Any]:
    """Return the assessment with the ML Test Score of each level, beside its first estimate."""
    answers = {
        number: {row["id"]: row["answers"].get(number, "") for row in assessment["criteria"]}
        for number in numbers_of(assessment)
    }
    scores = {number: score(each) | {"estimate": estimate(int(number))} for number, each in answers.items()}
    return assessment | {"ml_test_score": scores}


def matrix(assessment: dict[str, Any]) -> str:
    """Return the matrix as a page."""
    numbers = numbers_of(assessment)
    lines = [
        "# The matrix",
        "",
        ABOUT,
        f"{summary(assessment)}.",
        "",
        f"| | | {' | '.join(numbers)} |",
        f"|---|---|{'---|' * len(numbers)}",
    ]
    for row in assessment["criteria"]:
        cells = [_cell(row, number) for number in numbers]
        lines.append(f"| {row['id']} | {row['says']} | {' | '.join(cells)} |")
    lines += ["", "## Are the probes blind?", "", f"{ablations_summary(assessment)}. `make assess ABLATE=1`.", ""]
    if assessment.get("ablations"):
        lines += [
            "| | level | switched off | with it | without it | the level below |",
            "|---|---|---|---|---|---|",
        ]
    for each in assessment.get("ablations", []):
        words = [WORDS[Answer(each[key])] for key in ("with", "without", "below")]
        blind = "" if each["flips"] else " (not noticed)"
        lines.append(
            f"| {each['id']} | {each['level']} | {each['why']} | {words[0]} | {words[1]}{blind} | {words[2]} |"
        )
    lines += ["", "## Not as expected", ""]
    lines += [
        f"- **{each['id']}, level {each['level']}**: {WORDS[Answer(each['answer'])]}, expected "
        f"{WORDS[Answer(each['expected'])]}. {_plain(each['reason'])} Seen: {_plain(each['says'])}"
        for each in differing(assessment)
    ] or ["Nothing."]
    return "\n".join(lines) + "\n"


def _cell(row: dict[str, Any], number: str) -> str:
    answer = row["answers"].get(number)
    if answer is None:
        return ""
    unexpected = "" if answer == row["expected"][number] else " (!)"
    return f"[{WORDS[Answer(answer)]}](evidence/level{number}.md#{row['id'].lower()}){unexpected}"


def write_evidence(level: int, column: Column, told: str) -> Path:
    """Write what each probe saw at a level, and what was said while it was played."""
    EVIDENCE.mkdir(exist_ok=True)
    path = EVIDENCE / f"level{level}.md"
    lines = [f"# What was seen at level {level}", "", f"Written by `{COMMAND} LEVEL={level}`; do not edit.", ""]
    for name, found in column.items():
        lines += [f"## {name}", "", f"**{found['answer']}.** {_plain(found['says'])}", ""]
        lines += [f"Probe: [{found['probe']}](../../{found['probe']})", ""] if found["probe"] else []
    lines += ["## All that was said", "", "```text", *[line[:300] for line in told.splitlines()], "```"]
    write_text(path, "\n".join(lines).replace(f"{ROOT}/", "").replace(str(ROOT), ".") + "\n")
    return path


def _plain(text: str) -> str:
    """Keep what a level said from being read as Markdown."""
    return text.replace("|", "/").replace("<", "&lt;")
