"""Issues: one file for each hold, with the evidence, until somebody resolves it."""

from pathlib import Path

from ..config.files import write_text
from .alarm import Alarm
from .decisions import Record

TEXT = """# {cause}

Since {day} no training starts by itself. The champion stays in service.

Evidence: {evidence}

The last decisions before:

{history}
What to do: look at the feed and at the reports, and correct what is wrong. The hold ends once its cause is gone;
to end it before, `resume`.
Decided by the policy {policy}.
"""
BLIND = "watch.md"
BLIND_TEXT = """# Nobody watches production

Since {day} the daily check fails, so nothing is measured, and no alarm can be raised. The application answers.

{kind}: {error}

What to do: read `logs/` of the stage, and mend what the error names; a check that succeeds removes this file.
"""


def write_blind(folder: Path, day: str, error: Exception) -> Path | None:
    """Write an issue about a check that failed, unless there is one already; return its file."""
    path = folder / BLIND
    if path.exists():
        return None
    write_text(path, BLIND_TEXT.format(day=day, kind=type(error).__name__, error=error))
    return path


def write(folder: Path, hold: Record, alarm: Alarm, before: list[Record]) -> Path:
    """Write an issue about a hold; return its file."""
    lines = [f"- {past.day}: {past.action}, {past.cause}: {past.result or past.status}\n" for past in before[-5:]]
    path = folder / f"{hold.id}.md"
    text = TEXT.format(
        cause=hold.cause,
        day=hold.day,
        evidence=alarm.summary,
        history="".join(lines) or "- none\n",
        policy=hold.policy,
    )
    write_text(path, text)
    return path
