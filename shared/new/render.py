"""Templates are rendered with marks that neither Python nor YAML nor a workflow uses."""

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, StrictUndefined

MARKS: dict[str, Any] = {
    "variable_start_string": "«",
    "variable_end_string": "»",
    "block_start_string": "«%",
    "block_end_string": "%»",
    "comment_start_string": "«#",
    "comment_end_string": "#»",
    "trim_blocks": True,
    "lstrip_blocks": True,
    "keep_trailing_newline": True,
}
# Enough to read a file of the template whose answers do not matter.
PLACEHOLDERS: dict[str, Any] = {
    "name": "project",
    "package": "project",
    "kind": "binary",
    "schedule": "cron",
    "target": "outcome",
}


def render(text: str, answers: Mapping[str, Any]) -> str:
    """Return a file of the template with these answers, as Copier writes it."""
    return Environment(undefined=StrictUndefined, autoescape=False, **MARKS).from_string(text).render(answers)  # noqa: S701
