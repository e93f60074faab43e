"""State on servers: what is given becomes the names that levels read, and what cannot work is said at once."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from level3_deployment.tests.databases import Server, postgresql  # noqa: F401 - a fixture
from shared.base import StageError
from shared.stack import elsewhere, ports, preflight
from shared.stack.stage import Stage

POSTGRES, S3 = "postgresql://mlops@db.internal:5432", "s3://bucket/models"


@pytest.fixture(autouse=True)
def _nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("POSTGRES", "S3", "ENGINE", *elsewhere.WAYS):
        monkeypatch.delenv(name, raising=False)


def test_without_servers_all_state_is_in_the_stage(tmp_path: Path) -> None:
    stage = Stage(4, tmp_path)
    assert stage.elsewhere == {}
    assert stage.environment["MLFLOW_BACKEND_STORE_URI"] == f"sqlite:///{tmp_path}/mlflow.db"
    assert not {"PREDICTION_LOG", "METRICS_STORE", "SNAPSHOT_REMOTE"} & stage.environment.keys()


def test_each_name_that_a_level_reads_is_set_from_the_two_that_are_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"POSTGRES": POSTGRES, "S3": S3, "PGPASSFILE": "/run/secrets/pgpass"}.items():
        monkeypatch.setenv(name, value)
    environment = Stage(4, tmp_path).environment
    assert {name: environment[name] for name in Stage(4, tmp_path).elsewhere} == {
        "MLFLOW_ARTIFACTS_DESTINATION": f"{S3}/artifacts",
        "MLFLOW_BACKEND_STORE_URI": "postgresql+psycopg://mlops@db.internal:5432/mlflow",
        "METRICS_STORE": f"{POSTGRES}/metrics",
        "PGPASSFILE": "/run/secrets/pgpass",
        "PREDICTION_LOG": f"{POSTGRES}/predictions",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": "postgresql+asyncpg://mlops@db.internal:5432/prefect",
        "SNAPSHOT_REMOTE": f"{S3}/snapshots",
    }


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("POSTGRES", "postgresql://mlops:secret@host:5432"),  # a password would be seen by all
        ("POSTGRES", "postgresql://mlops@host:5432/a_database"),
        ("POSTGRES", "mysql://mlops@host:5432"),
        ("S3", "https://bucket"),
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(
    name: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, address)
    with pytest.raises(StageError, match=f"{name} is no address such as {name}=") as raised:
        elsewhere.check()
    assert address not in str(raised.value)


def test_a_level_without_servers_and_containers_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSTGRES", POSTGRES)
    with pytest.raises(StageError, match="keeps its state in files: leave POSTGRES out"):
        Stage(1, tmp_path)
    monkeypatch.setenv("ENGINE", "docker")
    with pytest.raises(StageError, match="state in volumes: leave POSTGRES out"):
        Stage(4, tmp_path)


def test_a_server_that_does_not_answer_is_named_before_anything_is_emptied(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
        monkeypatch.setenv("S3", S3)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        elsewhere.check()
    with pytest.raises(StageError, match=f"nobody answers at 127.0.0.1:{port} .* where S3 should be"):
        elsewhere.check()
    monkeypatch.setattr(ports, "check_free", lambda *_: None)
    with pytest.raises(StageError, match="nobody answers"):
        preflight.start("3")


@pytest.mark.slow
def test_databases_that_are_missing_are_made_and_those_that_are_there_are_kept(
    postgresql: Server,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import psycopg

    monkeypatch.setenv("POSTGRES", postgresql.address().removesuffix("/postgres"))
    names = elsewhere.names({"POSTGRES": {"PREDICTION_LOG": "postgresql://${SERVER}/predictions"}})
    elsewhere.make_databases(names)
    with psycopg.connect(postgresql.address("predictions"), autocommit=True) as server:
        server.execute("CREATE TABLE kept (id INTEGER)")
    elsewhere.make_databases(names)
    with psycopg.connect(postgresql.address("predictions")) as server:
        assert server.execute("SELECT * FROM kept").fetchall() == []
