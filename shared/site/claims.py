"""What the filters of the matrix go by: which models ask for a claim, and the area that it belongs to."""

from typing import Any

from ..assessment.criteria.criteria import read_criteria
from ..assessment.report.models import read_views

SCORE = {"the ML Test Score": "MLTS"}  # which is no model with levels, and has no view


def asked_by() -> dict[str, dict[str, Any]]:
    """Return the models and the area of each claim, by its id."""
    models = {view["title"]: view["prefix"] for view in read_views().values()} | SCORE
    return {
        criterion.id: {
            "models": [title for title, prefix in models.items() if criterion.of(prefix)],
            "area": criterion.gigaom,
        }
        for criterion in read_criteria().values()
    }
