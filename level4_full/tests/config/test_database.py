"""A database, in a file and on a server, takes the same SQL and gives the same rows."""

import pytest

from ...config.database import Address, Database, connect

SCHEMA = """
CREATE TABLE IF NOT EXISTS "Orders" (
  id INTEGER PRIMARY KEY,
  "CustomerID" TEXT NOT NULL,      -- whose it is, in 100% of rows
  "when" TEXT NOT NULL
);
"""
INSERT = 'INSERT INTO "Orders" ("CustomerID", "when") VALUES (?, ?)'


@pytest.fixture
def database(address: Address) -> Database:
    made = connect(address)
    made.make(SCHEMA)
    made.executemany(INSERT, [("a%", "now?"), ("b", "then")])
    return made


def test_columns_go_by_their_names_whatever_the_names_are(database: Database) -> None:
    assert database.rows('SELECT "CustomerID", "when" FROM "Orders" ORDER BY id') == [
        {"CustomerID": "a%", "when": "now?"},
        {"CustomerID": "b", "when": "then"},
    ]


def test_marks_in_a_text_are_no_values(database: Database) -> None:
    query = """SELECT id FROM "Orders" WHERE "CustomerID" LIKE 'a%' AND "when" = 'now?' AND id < ?"""
    assert len(database.rows(query, [2])) == 1
    assert database.rows(query, [1]) == []
    assert database.execute("""UPDATE "Orders" SET "when" = '?' WHERE "CustomerID" LIKE '%b'""") == 1
