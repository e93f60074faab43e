"""State on servers that run already, in place of files: `POSTGRES=postgresql://user@host:5432`, `S3=s3://bucket`.

Which of the names that the levels read stand for what is in their stage.yaml. What is kept there is never emptied.
No password is in an address: PGPASSFILE and AWS_SHARED_CREDENTIALS_FILE name files that have them.
"""

import os
import re
import socket
import string
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from ..base import StageError

SHAPES = {  # of what is given, by its name; stage.yaml uses the part that has one
    "POSTGRES": re.compile(r"postgresql://(?P<SERVER>\w[\w.-]*@[\w.-]+:\d+)"),
    "S3": re.compile(r"s3://(?P<BUCKET>[\w.-]+(/[\w.-]+)*)"),
}
EXAMPLES = {"POSTGRES": "postgresql://user@host:5432", "S3": "s3://bucket"}
# How to reach them. All processes of the stage need it, and those that people start in another terminal.
WAYS = "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_SHARED_CREDENTIALS_FILE", "PGPASSFILE"
SECONDS_TO_ANSWER = 3.0


def given() -> dict[str, re.Match[str]]:
    """Return what is to be elsewhere, by name.

    Raises:
        StageError: an address is none.
    """
    found = {}
    for name, shape in SHAPES.items():
        if address := os.environ.get(name):
            match = shape.fullmatch(address)
            if match is None:  # and it is not repeated, since it may hold a password
                raise StageError(f"{name} is no address such as {name}={EXAMPLES[name]}")
            found[name] = match
    return found


def check() -> None:
    """Look whether everything that is given answers; nothing of it needs a package.

    Raises:
        StageError: naming what does not.
    """
    for name, address in given().items():
        bucket = os.environ.get("AWS_ENDPOINT_URL", "https://s3.amazonaws.com")
        server = urlsplit(bucket if name == "S3" else address[0])
        port = server.port or {"http": 80, "https": 443}[server.scheme]
        try:
            socket.create_connection((str(server.hostname), port), SECONDS_TO_ANSWER).close()
        except OSError as error:
            raise StageError(
                f"nobody answers at {server.hostname}:{port} ({error}), where {name} should be: start it first"
            ) from error


def names(described: Mapping[str, Any]) -> dict[str, str]:
    """Return the names that the levels read, with their addresses there; none where nothing is given.

    Args:
        described: what the level's stage.yaml has under `elsewhere`, by what is given.

    Raises:
        StageError: the level keeps all of its state in files, or its containers do.
    """
    addresses = given()
    if not addresses:
        return {}
    if missing := addresses.keys() - described.keys():
        raise StageError(f"this level keeps its state in files: leave {' and '.join(sorted(missing))} out")
    if os.environ.get("ENGINE"):
        raise StageError(f"containers have their state in volumes: leave {' and '.join(sorted(addresses))} out")
    found = {name: os.environ[name] for name in WAYS if os.environ.get(name)}
    for name, address in addresses.items():
        parts = address.groupdict()
        found |= {each: string.Template(text).substitute(parts) for each, text in described[name].items()}
    return found


def make_databases(found: Mapping[str, str]) -> None:
    """Make the databases that are missing; those that are there are kept as they are.

    Raises:
        StageError: there is no driver, or the server refuses.
    """
    if "POSTGRES" not in given():
        return
    address = given()["POSTGRES"][0]
    wanted = {urlsplit(value).path.strip("/") for value in found.values() if value.startswith("postgresql")}
    try:
        import psycopg

        with psycopg.connect(f"{address}/postgres", autocommit=True, connect_timeout=3) as server:
            there = {name for (name,) in server.execute("SELECT datname FROM pg_database")}
            for name in sorted(wanted - there):
                server.execute(f'CREATE DATABASE "{name}"')
    except ImportError as error:
        raise StageError("the drivers are not installed: `make install POSTGRES=...`") from error
    except psycopg.Error as error:
        raise StageError(f"{address}: {str(error).strip()}") from error


def words(found: Mapping[str, str]) -> str:
    """Say where the state is."""
    where = [f"{name}: {value}" for name, value in found.items() if name not in WAYS]
    return "kept elsewhere, and never emptied:\n  " + "\n  ".join(where)
