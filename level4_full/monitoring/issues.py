"""What only people can settle: an issue with its evidence, in a file, until somebody ends it."""

from pathlib import Path
from typing import Any

TEXT = """# {cause}

Since {day} no training starts by itself. The champion goes on answering.

What was seen: {seen}

What was decided before:

{history}
What to do: look at the feed and at the reports, correct what is wrong, then let trainings go on with `resume`.
Decided by the policy {policy}.
"""


def write(folder: Path, decision: dict[str, Any], seen: str, before: list[dict[str, Any]]) -> Path:
    """Write an issue about a decision to hold, for what was seen; return its file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"- {each['day']}: {each['decision']}, {each['cause']}: {each['result']}\n" for each in before[-5:]]
    path = folder / f"{decision['id']}.md"
    part = path.with_suffix(".part")
    part.write_text(TEXT.format(**decision, seen=seen, history="".join(lines) or "- nothing\n"))
    part.replace(path)
    return path
