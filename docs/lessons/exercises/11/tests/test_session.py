"""A session in the notebook, done again: what it shows and saves, beside what the notebook itself gives."""

import json
import os
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

LEVEL = Path(__file__).resolve().parents[1]
CELLS = [1, 2, 3, 4, 8, 9, 10, 11]  # without pictures and the scoring script
FIGURE = 10  # the cell that ends with it
RUN, EDIT = re.compile(r"run (?P<cell>\d+)"), re.compile(r"edit (?P<cell>\d+): (?P<old>.+) -> (?P<new>.*)")
STEPS = f"write `run N` or `edit N: OLD -> NEW`, where N is one of {', '.join(map(str, CELLS))}"


def cells_of_the_notebook() -> dict[int, str]:
    notebook = json.loads((LEVEL / "flight_delays.ipynb").read_text())
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return {n: "".join(cell["source"]) for n, cell in enumerate(code, start=1)}


class Kernel:
    """What a notebook's kernel is: names that stay, whatever becomes of the text that made them."""

    def __init__(self, cells: dict[int, str]) -> None:
        self.cells, self.names, self.figure = cells, dict[str, Any](), float("nan")

    def run(self, number: int) -> None:
        """Run a cell; keep the figure that it shows."""
        lines = self.cells[number].splitlines()
        if number != FIGURE:
            exec("\n".join(lines), self.names)
            return
        exec("\n".join(lines[:-1]), self.names)
        self.figure = eval(lines[-1], self.names)["log_loss"]

    def edit(self, number: int, old: str, new: str) -> None:
        """Change the text of a cell, and run nothing."""
        if self.cells[number].count(old) != 1:
            pytest.fail(f"session.txt: cell {number} does not have this once: {old}", pytrace=False)
        self.cells[number] = self.cells[number].replace(old, new)


def follow(session: str) -> Kernel:
    kernel = Kernel(cells_of_the_notebook())
    for line in filter(None, (line.strip() for line in session.splitlines() if not line.startswith("#"))):
        found = RUN.fullmatch(line) or EDIT.fullmatch(line)
        if found is None or int(found["cell"]) not in CELLS:
            pytest.fail(f"session.txt: {line!r} is no step: {STEPS}", pytrace=False)
        elif found.re is RUN:
            kernel.run(int(found["cell"]))
        else:
            kernel.edit(int(found["cell"]), found["old"], found["new"])
    return kernel


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with made-up flights, which are late in the evening and in fog."""
    folder, random = tmp_path_factory.mktemp("desk"), np.random.default_rng(0)
    days = pd.date_range("2013-01-01", periods=40)
    departure = days.repeat(100) + pd.to_timedelta(random.integers(300, 1380, 4000), "min")
    weather = {name: random.normal(size=4000) for name in ("temp", "dewp", "humid", "wind_dir", "wind_speed")}
    weather |= {name: random.normal(size=4000) for name in ("wind_gust", "precip", "pressure")}
    flights = pd.DataFrame(weather | {"scheduled_departure": departure, "visib": random.uniform(0, 10, 4000)})
    flights = flights.assign(flight_id=[str(n) for n in range(4000)], origin="JFK", dest="BQN", carrier="B6")
    flights["distance"] = 1576.0
    risk = -4 + 0.2 * departure.hour.to_numpy() + 2.0 * (flights["visib"].to_numpy() < 2)
    late = random.uniform(size=4000) < 1 / (1 + np.exp(-risk))
    outcomes = flights[["flight_id"]].assign(arrival_delay=np.where(late, 60.0, 0.0))
    for kind, table in (("flights", flights), ("outcomes", outcomes)):
        (folder / "data" / kind).mkdir(parents=True)
        table.to_parquet(folder / "data" / kind / "all.parquet")
    return folder


@pytest.fixture
def both(desk: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Kernel, Kernel, list[float], list[float]]:
    """Return the session, a restart that runs all of what the notebook says then, and what both models predict."""
    monkeypatch.chdir(desk)
    session = follow((LEVEL / "session.txt").read_text())
    served = predictions(session)
    again = Kernel(session.cells)
    for number in CELLS:
        again.run(number)
    return session, again, served, predictions(again)


def predictions(kernel: Kernel) -> list[float]:
    assert os.path.exists("model.pkl"), "the session does not save a model: run 11"
    model = pickle.loads(Path("model.pkl").read_bytes())
    return list(kernel.names["late_probability"](model, kernel.names["recent"].tail(100)))


def test_the_figure_on_the_screen_is_better_than_a_restart_gives(both: Any) -> None:
    session, again, *_ = both
    assert session.figure < again.figure - 0.01, f"{session.figure:.4f} shown, {again.figure:.4f} after a restart"


def test_the_saved_model_is_not_the_one_that_the_notebook_describes(both: Any) -> None:
    *_, served, described = both
    assert not np.allclose(served, described), "a restart saves a model that predicts the same"
