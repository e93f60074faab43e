"""The databases that the same tests run against: a file of SQLite, and a PostgreSQL server of the tests' own."""

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from ..config.database import Address

WHERE = ":".join([os.environ["PATH"], *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))])
BOTH = "sqlite", pytest.param("postgresql", marks=pytest.mark.slow)
NUMBERS = count()


class Server:
    """A PostgreSQL server in a folder."""

    def __init__(self, folder: Path, control: str) -> None:
        self.folder, self.control, self.user = folder, control, None
        if os.geteuid() == 0:  # which it refuses to run as
            self.user = "postgres"
            os.chown(folder, pwd.getpwnam(self.user).pw_uid, -1)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self._run("initdb", "--options", "--username=tests --auth=trust --encoding=UTF8 --locale=C --no-sync")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self._run("start", "--wait", "--log", str(self.folder / "log"), "--options", options)

    def stop(self) -> None:
        """Stop it, whoever is connected, and wait until it has ended."""
        self._run("stop", "--wait", "--mode", "immediate")

    def address(self, database: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://tests@127.0.0.1:{self.port}/{database}"

    def make(self) -> str:
        """Make another database; return its address."""
        import psycopg

        name = f"made_{next(NUMBERS)}"
        with psycopg.connect(self.address(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.address(name)

    def _run(self, *command: str) -> None:
        subprocess.run(
            [self.control, *command, "--pgdata", str(self.folder / "data")],
            user=self.user,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,  # a pipe would stay open for as long as the server runs
            check=True,
        )


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """Start a server."""
    pytest.importorskip("psycopg", reason="there is no driver for PostgreSQL: install the group `scale`")
    control = shutil.which("pg_ctl", path=WHERE)
    if control is None:
        pytest.skip("there is no PostgreSQL on this machine")
    with TemporaryDirectory() as folder:
        server = Server(Path(folder), control)
        server.start()
        yield server
        server.stop()


@pytest.fixture(params=BOTH)
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Address:
    """Return where a database may be made: once a file, and once a server."""
    if request.param == "sqlite":
        return tmp_path / "file.db"
    server: Server = request.getfixturevalue("postgresql")
    return server.make()
