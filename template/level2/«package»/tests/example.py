"""A row as the application is asked about it, and what the tests need to know of its columns."""

from typing import Any

from ..config.problem import ID

ABSENT = "absent"  # instead of a column of a kind that there is none of: tests that need one are skipped

EXAMPLE: dict[str, Any] = {
    "«id»": "2013-03-01-1",
    "«time»": "2013-03-01T06:30:00",
«% for column in columns %»
    "«column.name»": «example[column.name] | pprint»,
«% endfor %»
}
«% set numbers = columns | selectattr("type", "equalto", "number") | list %»
«% set others = numbers | rejectattr("name", "equalto", baseline) | list %»
«% set number = (others or numbers or [{"name": "absent", "maximum": 1}]) | first %»
«% set categories = columns | selectattr("type", "equalto", "category") | list %»
«% set category = (categories or [{"name": "absent"}]) | first %»
# Another one, which a model can tell from the first.
OTHER = EXAMPLE | {
    "«id»": "2013-03-01-2",
    "«time»": "2013-03-01T18:30:00",
«% for column in numbers %»
    "«column.name»": «column.maximum»,
«% endfor %»
}

NUMBER = "«number.name»"  # one that a model sees and a baseline does not, and that may be missing
OUT_OF_RANGE: dict[str, Any] = {NUMBER: «number.maximum + 1»}
CATEGORY = "«category.name»"  # one that a model sees, and is looked at by
UNSEEN: dict[str, Any] = «% if categories %»{CATEGORY: "?"}  # valid, and in no data«% else %»{}«% endif +%»


def numbered(number: int) -> dict[str, Any]:
    """Return the example as one of many, with an id of its own, and routed by itself in an A/B test."""
    return EXAMPLE | {ID: f"instance {number}"}
