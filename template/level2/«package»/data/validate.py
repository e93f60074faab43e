"""The gate before training: data that is not what the schema says stops the run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow.parquet as pq
from pandas.api.types import (
    is_datetime64_dtype,
    is_integer_dtype,
    is_numeric_dtype,
    is_object_dtype,
    is_string_dtype,
)
from pyarrow import types

from ..config import problem
from ..errors import RefusedError
from .schema import Instance
from .tables import INSTANCES, NULLABLE, OUTCOMES, is_of, kind_of

KINDS: dict[str, Callable[[Any], bool]] = {
    "string": lambda column: is_object_dtype(column) or is_string_dtype(column),
    "date-time": is_datetime64_dtype,
    "integer": is_integer_dtype,
    "number": is_numeric_dtype,
}
LIMITS: dict[str, Callable[[Any], pa.Check]] = {
    "minimum": pa.Check.ge,
    "exclusiveMinimum": pa.Check.gt,
    "maximum": pa.Check.le,
    "pattern": pa.Check.str_matches,
    "minLength": lambda length: pa.Check.str_length(min_value=length),
    "maxLength": lambda length: pa.Check.str_length(max_value=length),
}


class InvalidDataError(RefusedError):
    """The data breaks the schema; `problems` says where and how."""

    def __init__(self, problems: list[dict[str, str]]) -> None:
        self.problems = problems
        lines = [f"{problem['column']}: {problem['rule']} ({problem['where']})" for problem in problems[:10]]
        super().__init__(
            f"the data breaks {len(problems)} rules of the schema, so no model was trained: "
            "ask the upstream to publish again:\n  " + "\n  ".join(lines)
        )


def check_files(data: Path) -> None:
    """Check that every collected file has exactly the columns of the schema, with their types.

    File by file, because reading them all at once would silently give all the columns and types of the first.

    Raises:
        InvalidDataError: naming file, column and rule.
    """
    expected = {problem.ROWS: INSTANCES, problem.OUTCOMES: OUTCOMES}
    uncollected = [kind for kind in expected if not any(data.glob(f"{kind}/*.parquet"))]
    problems = [_problem(kind, "has not been collected", str(data)) for kind in uncollected]
    for path in sorted(path for kind in expected for path in data.glob(f"{kind}/*.parquet")):
        problems += _problems_of_file(path, expected[path.parent.name])
    if problems:
        raise InvalidDataError(problems)


def _problems_of_file(path: Path, expected: dict[str, str]) -> list[dict[str, str]]:
    """Compare the columns of a file and their types with the expected ones."""
    columns, file = pq.read_schema(path), f"{path.parent.name}/{path.name}"
    names, is_empty = set(columns.names), pq.read_metadata(path).num_rows == 0
    missing = [_problem(name, "is missing", file) for name in sorted(expected.keys() - names)]
    unknown = [_problem(name, "is not in the schema", file) for name in sorted(names - expected.keys())]
    mistyped = [
        _problem(name, f"is a {expected[name]}", f"{file} has {columns.field(name).type}")
        for name in sorted(expected.keys() & names)
        if not is_of(expected[name], kind := columns.field(name).type)
        and not (is_empty or (types.is_null(kind) and name in NULLABLE))
    ]
    return missing + unknown + mistyped


def check_values(table: pd.DataFrame) -> None:
    """Check types, ranges, missing and repeated values of the training table.

    Raises:
        InvalidDataError: naming column, rule, how many rows break it and the first of them.
    """
    try:
        table_schema().validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.astype({"column": str, "check": str})
        for check, rule in {
            "column_in_dataframe": "is missing",
            "column_in_schema": "is not in the schema",
        }.items():
            about = cases["check"] == check  # these cases are about a column, and name it as if it were a value
            cases.loc[about, "column"] = cases.loc[about, "failure_case"].astype(str)
            cases.loc[about, "check"] = rule
        problems = [
            _problem(column, rule, f"{len(rows)} rows, first value {rows['failure_case'].iloc[0]!r}")
            for (column, rule), rows in cases.groupby(["column", "check"])
        ]
        raise InvalidDataError(problems) from None


def table_schema() -> pa.DataFrameSchema:
    """Return the schema of an instance as checks on whole columns, plus the label's."""
    described = Instance.model_json_schema()
    columns = {name: _column(field) for name, field in described["properties"].items()}
    least, most = problem.OUTCOME_RANGE
    columns[problem.OUTCOME] = _column({"type": "number", "minimum": least, "maximum": most})
    return pa.DataFrameSchema(columns, strict=True, unique=[problem.ID])


def _column(field: dict[str, Any]) -> pa.Column:
    """Turn the JSON schema of a field into a column: `anyOf` a kind and null is a kind that may be missing."""
    kind, *null = field.get("anyOf", [field])
    limits = [LIMITS[name](value) for name, value in kind.items() if name in LIMITS]
    return pa.Column(checks=[_of_kind(kind_of(field)), *limits], nullable=bool(null))


def _of_kind(kind: str) -> pa.Check:
    return pa.Check(KINDS[kind], name=f"is a {kind}", error=f"is a {kind}", ignore_na=False)


def _problem(column: str, rule: str, where: str) -> dict[str, str]:
    return {"column": column, "rule": rule, "where": where}
