"""Show the matrix on a terminal, and write it where readers look."""

import json
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table

from ...base import ROOT, levels, write_text
from ...console import console
from ...markdown import table
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
A maturity model is a table of claims. Here each claim has a probe: a few days run at every level, and the probe
looks at what happened: files, answers, runs, the registry. Written by `make assess`; do not edit.

**yes**: it happens by itself. **by people**: it happens when people do the steps of that level. **no**: neither,
while the level itself works. Each cell leads to what was seen. An exclamation mark: not what the sources expect at
that level, see [below](#not-as-expected). How each model reads the same cells: [models](models/README.md).
"""


def show(assessment: dict[str, Any]) -> None:
    """Print the matrix with colours; what was not expected is underlined."""
    numbers = [str(number) for number in sorted(levels())]
    shown = Table("", "", box=None, pad_edge=False)
    for number in numbers:
        shown.add_column(number, justify="center")
    for row in assessment["criteria"]:
        shown.add_row(row["id"], row["statement"], *(_coloured(row, number) for number in numbers))
    console.print(shown)
    for cell in differing(assessment):
        expected = f"{cell['id']} at level {cell['level']}: {cell['answer']}, expected {cell['expected']}."
        console.print(f"{expected} {cell['seen']}", markup=False, soft_wrap=True)
    console.print(summary(assessment))


def _coloured(row: dict[str, Any], number: str) -> str:
    answer = row["answers"].get(number)
    if not answer:
        return ""
    underline = "" if answer == row["expected"][number] else " underline"
    return f"[{COLOURS[Answer(answer)]}{underline}]{WORDS[Answer(answer)]}[/]"


def show_ablations(assessment: dict[str, Any]) -> None:
    """Print what every probe answered with its component and without it."""
    shown = Table("", "level", "with", "without", "", "switched off", box=None, pad_edge=False)
    for result in assessment.get("ablations", []):
        verdict = "[green]noticed[/]" if result["flips"] else "[bold red]NOT NOTICED[/]"
        answers = result["with"], result["without"]
        shown.add_row(result["id"], str(result["level"]), *answers, verdict, result["why"])
    console.print(shown)
    console.print(ablations_summary(assessment))


def ablations_summary(assessment: dict[str, Any]) -> str:
    """Count the criteria whose probe noticed, and name those that nothing was switched off for."""
    results = assessment.get("ablations", [])
    tried = {result["id"] for result in results}
    noticed = {result["id"] for result in results if result["flips"]}
    without = [row["id"] for row in assessment["criteria"] if row["id"] not in tried]
    return (
        f"{len(noticed)} of {len(assessment['criteria'])} probes notice when their component is off; "
        f"{len(tried - noticed)} do not, and {len(without)} have no ablation yet"
        f"{': ' + ', '.join(without) if without else ''}"
    )


def summary(assessment: dict[str, Any]) -> str:
    """Count the cells."""
    rows = assessment["criteria"]
    cells = [(answer, row["expected"][number]) for row in rows for number, answer in row["answers"].items()]
    as_expected = sum(answer == expected for answer, expected in cells)
    errors, unprobed = (sum(answer == state for answer, _ in cells) for state in (Answer.ERROR, Answer.UNPROBED))
    minutes = assessment.get("wall_seconds", sum(assessment["seconds"].values())) / 60
    return (
        f"{len(cells)} cells: {as_expected} as expected, {len(cells) - as_expected} not (of these "
        f"{errors} errors, {unprobed} not probed); {len(assessment['seconds'])} levels took "
        f"{minutes:.1f} minutes, two at a time"
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
            "seen": row["evidence"][number]["seen"],
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
    scores = {
        number: score(of_level) | {"estimate": estimate(int(number))} for number, of_level in answers.items()
    }
    return assessment | {"ml_test_score": scores}


def matrix(assessment: dict[str, Any]) -> str:
    """Return the matrix as a page."""
    numbers = numbers_of(assessment)
    rows = [
        [row["id"], row["statement"], *(_cell(row, number) for number in numbers)]
        for row in assessment["criteria"]
    ]
    parts = [
        "# The matrix",
        f"{ABOUT}{summary(assessment)}.",
        table(["", "", *numbers], rows),
        f"## Ablations\n\n{ablations_summary(assessment)}. `make assess ABLATE=1`.",
        _ablations(assessment),
        "## Not as expected",
        "\n".join(map(_explained, differing(assessment))) or "Nothing.",
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _ablations(assessment: dict[str, Any]) -> str:
    rows = []
    for result in assessment.get("ablations", []):
        with_it, without, below = (WORDS[Answer(result[key])] for key in ("with", "without", "below"))
        blind = "" if result["flips"] else " (not noticed)"
        rows.append([result["id"], str(result["level"]), result["why"], with_it, f"{without}{blind}", below])
    head = ["", "level", "switched off", "with it", "without it", "the level below"]
    return table(head, rows) if rows else ""


def _explained(cell: dict[str, str]) -> str:
    """Return one cell that is not as expected, with its reason, as an entry of a list."""
    answer, expected = (WORDS[Answer(cell[key])] for key in ("answer", "expected"))
    return (
        f"- **{cell['id']}, level {cell['level']}**: {answer}, expected {expected}. {_plain(cell['reason'])} "
        f"Seen: {_plain(cell['seen'])}"
    )


def _cell(row: dict[str, Any], number: str) -> str:
    answer = row["answers"].get(number)
    if answer is None:
        return ""
    unexpected = "" if answer == row["expected"][number] else " (!)"
    return f"[{WORDS[Answer(answer)]}](evidence/level{number}.md#{row['id'].lower()}){unexpected}"


def write_evidence(level: int, column: Column, output: str) -> Path:
    """Write what each probe saw at a level, and what was printed while the scenario ran."""
    EVIDENCE.mkdir(exist_ok=True)
    path = EVIDENCE / f"level{level}.md"
    lines = [f"# What was seen at level {level}", "", f"Written by `{COMMAND} LEVEL={level}`; do not edit.", ""]
    for name, cell in column.items():
        lines += [f"## {name}", "", f"**{cell['answer']}.** {_plain(cell['seen'])}", ""]
        lines += [f"Probe: [{cell['probe']}](../../{cell['probe']})", ""] if cell["probe"] else []
    lines += ["## All that was printed", "", "```text", *[line[:300] for line in output.splitlines()], "```"]
    write_text(path, "\n".join(lines).replace(f"{ROOT}/", "").replace(str(ROOT), ".") + "\n")
    return path


def _plain(text: str) -> str:
    """Keep a text from being read as Markdown."""
    return text.replace("|", "/").replace("<", "&lt;")
