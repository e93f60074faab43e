"""A repository of one's own, as a team has it: it passes its checks, comes up, learns, predicts and stops."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from shared.new.made_up import made_up

from .repository import Repository, make_repository

pytestmark = pytest.mark.slow
OURS = re.compile(r"flight|airport|airline|carrier|new york|weather|shared/", re.IGNORECASE)
RELEASE = {1: ["release"], 2: ["release"]}  # by level: above, a training delivers its model itself


# The level that has most of what differs from our own; the others take minutes more.
@pytest.fixture(
    scope="module", params=[3, *(pytest.param(level, marks=pytest.mark.full) for level in (1, 2, 4))], ids=str
)
def repository(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Make a repository from a made-up table."""
    return make_repository(tmp_path_factory.mktemp("own") / "churn", request.param)  # sockets need a short path


@pytest.fixture(scope="module")
def trained(repository: Repository) -> Iterator[Repository]:
    """Bring its stage up and let it learn."""
    with repository.up():
        repository.make("daily", "train", *RELEASE.get(repository.level, []))
        yield repository


def test_it_passes_its_own_checks_and_quick_tests(repository: Repository) -> None:
    repository.make("check")
    assert re.search(r"\d+ passed", repository.make("test", "QUICK=1"))


def test_nothing_in_it_is_about_flights_or_ours(repository: Repository) -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=repository.folder, capture_output=True, text=True, check=True
    ).stdout.split()
    texts = {name: (repository.folder / name).read_text() for name in listed if name != "requirements.lock"}
    found = {name: OURS.findall(f"{name}\n{text}") for name, text in texts.items()}
    assert not {name: words for name, words in found.items() if words}


def test_the_new_model_predicts_the_newest_day(trained: Repository) -> None:
    shown = trained.make("predict").splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", shown[0])
    assert len(shown) == 12, shown  # the day, the names of the columns, and ten predictions
    for line in shown[2:]:
        row, probability, model, *_ = line.split()
        assert row.startswith("C")
        assert 0 < float(probability) < 1
        assert model not in ("none", "None")


def test_a_day_of_more_rows_is_collected_and_scored(trained: Repository, tmp_path: Path) -> None:
    table = made_up()
    newest = pd.to_datetime(table["renewal"]).max().normalize()
    rows = table[pd.to_datetime(table["renewal"]) >= newest].assign(
        customer_id=lambda rows: rows["customer_id"] + "-later",
        renewal=lambda rows: pd.to_datetime(rows["renewal"]) + pd.Timedelta(days=1),
    )
    day = f"{newest + pd.Timedelta(days=1):%Y-%m-%d}"
    rows.to_csv(tmp_path / "later.csv", index=False)
    trained.make("publish", f"FILE={tmp_path / 'later.csv'}")
    trained.make("daily", f"DAY={newest + pd.Timedelta(days=2):%Y-%m-%d}")
    collected = [
        path for path in trained.stage.rglob(f"{day}.parquet") if trained.stage / "drop" not in path.parents
    ]
    assert {name for path in collected for name in ids(path)} >= set(rows["customer_id"])
    trained.make("score", f"DAY={day}")
    scored = pd.read_csv(trained.stage / "scored" / f"{day}.csv")
    assert set(scored["id"]) == set(rows["customer_id"])


def ids(path: Path) -> list[str]:
    table = pq.read_table(path)
    return list(table["customer_id"].to_pylist()) if "customer_id" in table.schema.names else []
