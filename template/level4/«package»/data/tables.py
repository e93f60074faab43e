"""Published files as tables: each with the types of the schema, whatever types it happens to be written with.

One day has no temperatures, another one whole minutes only: such files differ in their types, and say the same.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import types

from ..config.problem import ID, OUTCOME
from ..errors import StageError
from .schema import Instance

TYPES = {
    "string": pa.string(),
    "date-time": pa.timestamp("ms"),
    "integer": pa.int64(),
    "number": pa.float64(),
}


class BadTableError(StageError):
    """A column of a file is not what the schema says."""


def kind_of(field: Mapping[str, Any]) -> str:
    """Return what a field of the JSON schema is, whether or not it may be missing."""
    kind = field.get("anyOf", [field])[0]
    return str(kind.get("format", kind["type"]))


INSTANCES = {name: kind_of(field) for name, field in Instance.model_json_schema()["properties"].items()}
OUTCOMES = {ID: "string", OUTCOME: "number"}
NULLABLE = {name for name, field in Instance.model_fields.items() if not field.is_required()} | {OUTCOME}


def is_of(kind: str, column: pa.DataType) -> bool:
    """Tell whether a column of a file can be read as a kind: `string`, `date-time`, `integer` or `number`."""
    if types.is_dictionary(column):
        column = column.value_type
    return {
        "string": types.is_string(column) or types.is_large_string(column),
        "date-time": types.is_timestamp(column) and column.tz is None,
        "integer": types.is_integer(column),
        "number": types.is_floating(column) or types.is_integer(column),
    }[kind]


def read(paths: Iterable[Path], kinds: Mapping[str, str]) -> pd.DataFrame:
    """Return some columns of several files in one table.

    Args:
        paths: the files, of one kind.
        kinds: the columns, with what they are.

    Raises:
        BadTableError: naming the file and the column that is missing or something else.
    """
    schema = pa.schema({name: TYPES[kind] for name, kind in kinds.items()})
    tables = [_read(path, kinds, schema) for path in paths]
    whole: pd.DataFrame = pa.concat_tables([schema.empty_table(), *tables]).to_pandas()
    return whole


def _read(path: Path, kinds: Mapping[str, str], schema: pa.Schema) -> pa.Table:
    table, file = pq.ParquetFile(path).read(), f"{path.parent.name}/{path.name}"
    for name, kind in kinds.items():
        if name not in table.column_names:
            raise BadTableError(f"{file} has no {name}: ask the upstream to publish it again")
        column = table.schema.field(name).type
        if table.num_rows and not (types.is_null(column) or is_of(kind, column)):
            raise BadTableError(
                f"{name} in {file} is no {kind}, but {column}: ask the upstream to publish it again"
            )
    # Not safe: that would refuse microseconds, which no schedule has.
    return pa.table([table[name].cast(schema.field(name).type, safe=False) for name in kinds], schema=schema)
