"""Which evidence bears on which part of a law or standard: docs/governance.md, generated from the criteria."""

from textwrap import fill
from typing import Any

import yaml

from ...base import ROOT, write_text
from ...markdown import table
from ..criteria.criteria import HERE, Answer
from .matrix import WORDS

PAGE = ROOT / "docs" / "governance.md"
WIDTH = 119
LEVELS = ("2", "3", "4")  # below, nothing is kept that could be evidence
ABOUT = """\
# Governance: which evidence bears on which rule

Written by `make assess`; do not edit. Rules ask for evidence, and the levels leave some. Each criterion links to
what its probe saw at level 4, followed by its answers at levels 2, 3 and 4 where they differ. A criterion that
holds is evidence for a part of a rule, and never shows that the rule is met. What no running code can show is said
beside it. This is no legal advice.

Every certified model also names its software bill of materials, by hash: `sbom.cdx.json` in its run, in the format
CycloneDX. `make sbom LEVEL=3` writes that of a level.
"""


def write(assessment: dict[str, Any]) -> None:
    """Write the page."""
    write_text(PAGE, page(assessment))


def read_frameworks() -> list[dict[str, Any]]:
    """Return the laws and standards, with their parts."""
    return list(yaml.safe_load((HERE / "governance.yaml").read_text()))


def page(assessment: dict[str, Any]) -> str:
    """Return the page."""
    answers = {row["id"]: row["answers"] for row in assessment["criteria"]}
    parts = [ABOUT.strip()]
    for framework in read_frameworks():
        rows = [
            [
                part["part"],
                part["about"],
                ", ".join(_evidence(name, answers.get(name, {})) for name in part["criteria"]) or "none",
                part["cannot"],
            ]
            for part in framework["parts"]
        ]
        parts += [
            f"## {framework['name']}",
            f"[{framework['title']}]({framework['url']}).",
            *(fill(framework[name], WIDTH) for name in ("about", "dates") if name in framework),
            table(["", "asks for", "evidence", "cannot be run"], rows),
        ]
    return "\n\n".join(parts) + "\n"


def _evidence(name: str, answers: dict[str, str]) -> str:
    """Return a criterion as a link to what was seen at level 4, with its answers where they differ."""
    found = [WORDS[Answer(answers[level])] for level in LEVELS if level in answers]
    differ = f" ({', '.join(found)})" if len(set(found)) > 1 else ""
    return f"[{name}](evidence/level4.md#{name.lower()}){differ}"
