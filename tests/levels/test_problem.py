"""The problem in one place: a column of the data is named in few files, and everything else goes by these."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.base import ROOT, levels

KNOW_COLUMNS = {"config/problem.py", "data/schema.py", "data/features.py", "data/faults.py"}
# Words that are a column's name too, and mean something else where they stand.
OTHER_MEANINGS = {
    ("operations/own_pages.py", "origin"),  # a header of HTTP
    ("monitoring/feed.py", "distance"),  # a statistic: how unlike two distributions are
    ("delivery/benchmark.py", "flight"),  # a request in a package
    ("delivery/package.py", "flight"),
    ("delivery/package_gates.py", "flight"),
}
# What names columns on purpose: the features that level 1 computes a second time, and the limits of a gate by
# slice, which move into policy.yaml at level 4.
LESSONS = {(1, "serving/app.py"), (3, "delivery/model_gates.py")}


def columns_of(number: int) -> set[str]:
    schema = importlib.import_module(f"{levels()[number]}.data.schema")
    problem = importlib.import_module(f"{levels()[number]}.config.problem")
    return {*schema.Flight.model_fields, problem.OUTCOME, "minute_of_day"}


def named(tree: ast.AST, columns: set[str]) -> Iterator[str]:
    """Yield the columns that code names: as a text, in a longer one such as a query, or as an attribute."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            spelled = {node.value} | {word for word in node.value.split() if "_" in word}
            yield from columns & {word.strip("(),;`\"'") for word in spelled}
        if (
            isinstance(node, ast.Attribute) and "_" in node.attr
        ):  # `flight.origin` is as rare as `path.origin` is not
            yield from columns & {node.attr}


def sources(number: int) -> list[Path]:
    folder = ROOT / levels()[number]
    return sorted(path for path in folder.rglob("*.py") if "tests" not in path.parts)


@pytest.mark.parametrize("number", [number for number in levels() if number])
def test_a_column_is_named_where_the_problem_is_described_and_nowhere_else(number: int) -> None:
    folder, columns, found = ROOT / levels()[number], columns_of(number), set()
    for path in sources(number):
        name = str(path.relative_to(folder))
        if name not in KNOW_COLUMNS and (number, name) not in LESSONS:
            found |= {(name, column) for column in named(ast.parse(path.read_text()), columns)}
    assert found - OTHER_MEANINGS <= {("serving/app.py", "flight_id")}  # of a prediction, as serving/api.py has it


def test_the_search_finds_a_column_in_a_table_a_query_and_an_attribute() -> None:
    columns = {"origin", "flight_id"}
    for code in ('t["origin"]', 'q = "SELECT flight_id FROM t"', "flight.flight_id", 'f"x ({y}, flight_id)"'):
        assert set(named(ast.parse(code), columns)), code
    assert not set(named(ast.parse('"the origin of it"'), columns))


@pytest.mark.parametrize("number", [2, 3, 4])
def test_the_slices_the_group_and_the_routing_key_are_columns_of_the_schema(number: int) -> None:
    schema = importlib.import_module(f"{levels()[number]}.data.schema").Flight
    problem = importlib.import_module(f"{levels()[number]}.config.problem")
    lists = [getattr(problem, name, []) for name in ("SLICES", "ROUTED_BY", "NOT_REPORTED", "SHOWN")]
    single = [getattr(problem, name) for name in ("ID", "TIME", "GROUP", "REPORTED") if hasattr(problem, name)]
    assert {*single, *(name for names in lists for name in names)} <= set(schema.model_fields)
