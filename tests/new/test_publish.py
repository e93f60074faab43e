"""The publisher of a new project: a team's own files become a file a day, whole or not at all."""

import gzip
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from shared.base import ROOT
from shared.new.propose import Proposal, propose
from shared.new.render import render
from shared.new.table import read

from .customers import DAYS, ROWS, customers, write_csv

pytestmark = pytest.mark.slow  # each publishes in a process of its own

OVERLAY = ROOT / "shared" / "new" / "overlay" / "root"
NEWEST = "2024-03-30"
YESTERDAY = date.today() - timedelta(days=1)


def publisher(answers: dict[str, Any]) -> str:
    """Return the publisher as a new project has it."""
    return render((OVERLAY / "publish.py").read_text(), answers)


class Project:
    """A folder with a publisher for a table, and what it has published."""

    def __init__(self, folder: Path, proposal: Proposal) -> None:
        self.folder = folder
        self.drop = folder / "stage" / "drop"
        (folder / "publish.py").write_text(publisher(asdict(proposal)))

    def run(self, *files: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", "publish.py", *map(str, files)]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def publish(self, *files: Path) -> str:
        done = self.run(*files)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refuse(self, *files: Path) -> str:
        done = self.run(*files)
        assert done.returncode == 1, done.stdout
        assert "Traceback" not in done.stderr
        return done.stderr

    def days(self, kind: str) -> list[str]:
        return sorted(path.name.removesuffix(".parquet") for path in (self.drop / kind).iterdir())

    def day(self, kind: str, day: str) -> pd.DataFrame:
        return pd.read_parquet(self.drop / kind / f"{day}.parquet")

    def all(self, kind: str) -> pd.DataFrame:
        return pd.concat([self.day(kind, day) for day in self.days(kind)], ignore_index=True)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Make a publisher for the customers."""
    return Project(tmp_path, propose(customers_as_read(tmp_path), "Churned"))


def customers_as_read(folder: Path) -> pd.DataFrame:
    return read(write_csv(folder, customers()))


def test_each_day_gets_a_file_of_rows_and_one_of_outcomes(project: Project, tmp_path: Path) -> None:
    path = write_csv(tmp_path, customers())
    said = project.publish(path)
    assert said == f"{path}: 630 rows of 30 days, 620 with an outcome, are in stage/drop\n"
    assert project.days("instances") == project.days("outcomes")
    assert len(project.days("instances")) == DAYS
    rows = project.day("instances", NEWEST)
    assert len(rows) == ROWS // DAYS
    assert rows["signed_up"].dt.strftime("%Y-%m-%d").eq(NEWEST).all()
    assert len(project.day("outcomes", NEWEST)) == ROWS // DAYS - 10  # ten are not known yet


def test_the_columns_have_the_proposed_names_and_types(project: Project, tmp_path: Path) -> None:
    project.publish(write_csv(tmp_path, customers()))
    schema = pq.read_schema(project.drop / "instances" / f"{NEWEST}.parquet")
    assert {field.name: str(field.type) for field in schema} == {
        "customer_id": "string",
        "signed_up": "timestamp[ms]",
        **dict.fromkeys(("plan", "city", "class_"), "string"),
        **dict.fromkeys(("partner", "monthly_charges", "total", "balance", "calls"), "double"),
    }
    outcomes = pq.read_schema(project.drop / "outcomes" / f"{NEWEST}.parquet")
    assert {field.name: str(field.type) for field in outcomes} == {"customer_id": "string", "churned": "double"}


def test_the_values_are_those_of_the_file(project: Project, tmp_path: Path) -> None:
    project.publish(write_csv(tmp_path, customers()))
    own, rows, outcomes = customers(), project.all("instances"), project.all("outcomes")
    assert rows["customer_id"].tolist() == own["customerID"].tolist()
    assert rows["partner"].tolist() == (own["Partner"] == "Yes").astype(float).tolist()
    assert rows["city"].fillna("").tolist() == own["City"].tolist()
    assert rows["total"].isna().sum() == 3
    assert rows["balance"].tolist() == own["Balance"].astype(float).tolist()
    assert outcomes["churned"].tolist() == (own["Churned"][: ROWS - 10] == "Yes").astype(float).tolist()


def test_the_example_is_among_what_is_published(tmp_path: Path) -> None:
    proposal = propose(customers_as_read(tmp_path), "Churned")
    project = Project(tmp_path, proposal)
    project.publish(write_csv(tmp_path, customers()))
    rows = project.day("instances", NEWEST).assign(signed_up=f"{NEWEST}T00:00:00")
    assert proposal.example in rows.to_dict("records")


def packed(folder: Path) -> Path:
    path = folder / "packed.csv.gz"
    path.write_bytes(gzip.compress(write_csv(folder, customers()).read_bytes()))
    return path


def as_parquet(folder: Path) -> Path:
    """Write the customers with types: dates, booleans, categories, an index."""
    table = customers_as_read(folder)
    typed: dict[str, Any] = {
        "Signed up": pd.to_datetime(table["Signed up"], dayfirst=True),
        "Partner": table["Partner"] == "Yes",
        "Plan": table["Plan"].astype("category"),
        "Churned": table["Churned"].replace({"Yes": "YES "}),
    }
    table.assign(**typed).set_index("customerID").to_parquet(folder / "typed.parquet")
    return folder / "typed.parquet"


WRITERS: dict[str, Callable[[Path], Path]] = {
    "semicolons": lambda folder: write_csv(folder, customers(), ";"),
    "packed": packed,
    "Parquet": as_parquet,
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_every_kind_of_file_is_published_the_same(
    project: Project, tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    project.publish(write_csv(tmp_path, customers()))
    plain = {kind: project.all(kind) for kind in ("instances", "outcomes")}
    project.drop.rename(tmp_path / "before")
    project.publish(write(tmp_path))
    for kind, rows in plain.items():
        pd.testing.assert_frame_equal(project.all(kind), rows)


def test_a_row_that_is_published_again_replaces_the_one_before(project: Project, tmp_path: Path) -> None:
    project.publish(write_csv(tmp_path, customers()))
    newest = customers().tail(10).assign(Churned="Yes", Plan="plus")
    later = newest.head(1).assign(customerID="99999-X", Churned="")
    project.publish(write_csv(tmp_path, pd.concat([newest, later])))
    rows, outcomes = project.day("instances", NEWEST), project.day("outcomes", NEWEST)
    assert len(rows) == ROWS // DAYS + 1
    assert rows.set_index("customer_id").loc[newest["customerID"], "plan"].eq("plus").all()
    assert len(outcomes) == ROWS // DAYS
    assert outcomes.set_index("customer_id").loc[newest["customerID"], "churned"].eq(1).all()


def test_rows_that_have_not_ended_need_no_column_of_outcomes(project: Project, tmp_path: Path) -> None:
    assert "0 with an outcome" in project.publish(write_csv(tmp_path, customers().drop(columns="Churned")))
    assert not (project.drop / "outcomes").exists()


def test_rows_without_a_time_are_left_out_and_counted(project: Project, tmp_path: Path) -> None:
    table = customers()
    table.loc[:4, "Signed up"] = ""
    said = project.publish(write_csv(tmp_path, table))
    assert "625 rows" in said
    assert "5 without a time, or named twice, were left out" in said


@pytest.mark.parametrize(
    ("values", "ones"), [(("1.0", "0.0"), "1.0"), (("v1.0", "v2.0"), "v2.0"), (("TRUE", "false"), "TRUE")]
)
def test_what_counts_as_one_is_what_was_proposed(tmp_path: Path, values: tuple[str, str], ones: str) -> None:
    table = customers()
    table["Churned"] = np.array(values)[(np.arange(ROWS) % 3 == 0).astype(int)]
    project = Project(tmp_path, propose(read(write_csv(tmp_path, table)), "Churned"))
    project.publish(write_csv(tmp_path, table))
    assert project.all("outcomes")["churned"].tolist() == (table["Churned"] == ones).astype(float).tolist()


def test_nothing_but_whole_files_is_left(project: Project, tmp_path: Path) -> None:
    project.publish(write_csv(tmp_path, customers()))
    project.publish(write_csv(tmp_path, customers()))
    assert {path.suffix for path in project.drop.glob("*/*")} == {".parquet"}
    assert not list(project.drop.glob("*/.*"))


def test_the_stage_may_be_elsewhere(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", str(tmp_path / "elsewhere"))
    project.publish(write_csv(tmp_path, customers()))
    assert (tmp_path / "elsewhere" / "drop" / "instances" / f"{NEWEST}.parquet").exists()
    assert not project.drop.exists()


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no number": ({"Total": "much"}, 'column Total is a number, Unable to parse string "much"'),
    "no id": ({"customerID": ""}, "column customerID is empty in 630 rows"),
    "no time": ({"Signed up": "soon"}, "column Signed up has no times: write them like 2024-03-01T06:30"),
    "offsets": (
        {"Signed up": np.where(np.arange(ROWS) % 2, "2024-03-01T06:30+01:00", "2024-03-01T06:30+02:00")},
        "offsets from UTC",
    ),
    "outcomes": (
        {"Churned": np.where(np.arange(ROWS) % 2, "perhaps", "No")},
        "column Churned is yes, no or empty, not perhaps",
    ),
}


@pytest.mark.parametrize(("cells", "message"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_published_is_named(
    project: Project, tmp_path: Path, cells: dict[str, Any], message: str
) -> None:
    error = project.refuse(write_csv(tmp_path, customers().assign(**cells)))
    assert message in error
    assert "customers.csv: " in error
    assert not project.drop.exists()


def test_a_column_that_is_not_there_is_named(project: Project, tmp_path: Path) -> None:
    table = customers().drop(columns=["Plan", "Total"])
    assert "has no column Plan and no column Total" in project.refuse(write_csv(tmp_path, table))


def torn(folder: Path) -> Path:
    whole = packed(folder)
    whole.write_bytes(whole.read_bytes()[:-99])
    return whole


def not_utf8(folder: Path) -> Path:
    (folder / "a.csv").write_bytes("Gr\u00f6\u00dfe\n".encode("latin1"))
    return folder / "a.csv"


@pytest.mark.parametrize("write", [torn, not_utf8, lambda folder: folder / "gone.csv"])
def test_a_file_that_cannot_be_read_is_named(
    project: Project, tmp_path: Path, write: Callable[[Path], Path]
) -> None:
    path = write(tmp_path)
    assert f"{path}: " in project.refuse(path)


def test_without_a_file_it_says_how_to_name_one(project: Project) -> None:
    assert "which file? python publish.py FILE..." in project.refuse()


# --- what the team's files do not have ---------------------------------------------------------------------------


def nameless(rows: int = 1_100) -> pd.DataFrame:
    """Return rows that nothing names and no day belongs to; the last two are the same."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"size": rng.random(rows), "kind": rng.choice(["a", "b"], rows)})
    table["price"] = table["size"] * 10 + rng.random(rows) * 9
    table.iloc[-1] = table.iloc[-2]
    return table


def test_rows_without_a_time_are_spread_as_was_proposed(tmp_path: Path) -> None:
    proposal = propose(nameless(), "price")
    project = Project(tmp_path, proposal)
    project.publish(write_csv(tmp_path, nameless()))
    assert (len(project.days("instances")), project.days("instances")[-1]) == (proposal.days, str(YESTERDAY))
    assert len(project.day("instances", str(YESTERDAY))) == proposal.rows_per_day
    assert min(len(project.day("instances", day)) for day in project.days("instances")) >= 50
    assert np.allclose(project.all("instances")["size"], nameless()["size"])
    assert np.allclose(project.all("outcomes")["price"], nameless()["price"])


def test_rows_without_an_id_are_named_and_have_the_same_name_next_time(tmp_path: Path) -> None:
    project = Project(tmp_path, propose(nameless(), "price"))
    project.publish(write_csv(tmp_path, nameless()))
    names = project.all("instances")["row_id"]
    assert names.is_unique
    assert names.str.match(r"row-[0-9a-f]{16}(-1)?$").all()
    project.publish(write_csv(tmp_path, nameless().tail(20).assign(price=None)))
    assert set(project.all("instances")["row_id"]) == set(names)


def test_the_day_belongs_to_the_name_of_a_row(tmp_path: Path) -> None:
    table = nameless().assign(size=1.0, kind=np.where(np.arange(1_100) % 2, "a", "b"))
    table["at"] = pd.date_range("2024-01-01", periods=1_100, freq="h").astype(str)
    project = Project(tmp_path, propose(table, "price"))
    project.publish(write_csv(tmp_path, table))
    names = project.all("instances")["row_id"]
    assert names.nunique() == 1_100
    project.publish(write_csv(tmp_path, table.tail(24)))  # what came before does not matter
    assert set(project.all("instances")["row_id"]) == set(names)


# --- the file itself ---------------------------------------------------------------------------------------------


def proposals() -> dict[str, Proposal]:
    dated = nameless().assign(at=pd.date_range("2024-01-01", periods=1_100, freq="h"), id=range(1_100))
    odd = dated.rename(columns={"kind": 'a "kind" & more\'s'})
    return {
        "nothing but columns": propose(nameless(), "price"),
        "an id": propose(dated.drop(columns="at"), "price"),
        "a time": propose(dated.drop(columns="id"), "price"),
        "numbers only": propose(dated.drop(columns="kind"), "price"),
        "two values": propose(dated, "kind"),
        "odd names": propose(odd, "price"),
    }


@pytest.mark.parametrize("proposal", proposals().values(), ids=proposals())
def test_the_publisher_is_formatted_and_clean(tmp_path: Path, proposal: Proposal) -> None:
    text = publisher(asdict(proposal))
    for check in (["format", "--check"], ["check", "--no-cache"]):
        command = [str(ROOT / ".venv/bin/ruff"), *check, "--config", str(ROOT / "pyproject.toml"), "-"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
