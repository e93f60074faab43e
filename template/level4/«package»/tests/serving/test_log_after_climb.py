"""A prediction log from before a climb is written on with the columns that it lacked."""

import sqlite3
from contextlib import closing
from pathlib import Path

from ...serving.prediction_log import ADDED, SCHEMA, open_log


def test_a_log_from_before_a_climb_gets_the_columns_that_it_lacks(tmp_path: Path) -> None:
    before = "\n".join(line for line in SCHEMA.splitlines() if not line.split()[:1] or line.split()[0] not in ADDED)
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection:
        connection.executescript(before)
    for _ in range(2):
        with open_log(tmp_path / "log.db") as connection:
            names = [row["name"] for row in connection.rows("PRAGMA table_info(predictions)")]
    assert ADDED.keys() <= set(names)
    assert len(names) == len(set(names))
