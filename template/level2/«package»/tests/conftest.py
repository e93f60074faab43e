"""What several tests need: libraries that do not call home, and made-up instances to learn from."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ..config.problem import BASELINE, ID, OUTCOME, OUTCOMES, ROWS, TIME
from . import example
«% if level > 2 %»
from .databases import address, postgresql
«% endif %»

# Here and not in a fixture, because some libraries decide while they are imported.
os.environ |= {"DO_NOT_TRACK": "1", "DVC_NO_ANALYTICS": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
os.environ.setdefault("STAGE", "/dev/null")  # modules ask for it; whoever writes to one makes it
# On small tables threads cost more than they bring, and minutes when something else wants the processor too.
os.environ["OMP_NUM_THREADS"] = "1"
collect_ignore = ["training/test_evaluate.py"] if example.CATEGORY == example.ABSENT else []  # it looks at one

NUMBERS: dict[str, tuple[float, float]] = {  # by column, the least and the greatest
«% for column in columns if column.type == "number" %»
    "«column.name»": («column.minimum», «column.maximum»),
«% endfor %»
}
CATEGORIES: dict[str, list[str]] = {  # by column, some values
«% for column in columns if column.type == "category" %»
    "«column.name»": «column["values"]»,
«% endfor %»
}


def make_instances(days: int, per_day: int = 200, first: str = "2013-03-01", seed: int = 0) -> pd.DataFrame:
    """Return plausible instances with how they ended, which depends on the time, on numbers and on a category."""
    random, count = np.random.default_rng(seed), days * per_day
    day = np.repeat(pd.date_range(first, periods=days).to_numpy("datetime64[m]"), per_day)
    minute = random.integers(5 * 60, 24 * 60, count)
    moment = pd.Series(day + minute).astype("datetime64[ms]")
    unit = {name: random.random(count) for name in NUMBERS}
    numbers = {name: (low + unit[name] * (high - low)).round(2) for name, (low, high) in NUMBERS.items()}
    categories = {name: random.choice(values, count) for name, values in CATEGORIES.items()}
    score = (minute - 1000) / 200 + random.logistic(size=count)
    score += 2 * (moment.dt.dayofweek >= 4).to_numpy()
    for name, values in unit.items():
        score += (8 if name == BASELINE else 4 / len(unit) ** 0.5) * (values - 0.5)
    for name, values in categories.items():
        score += (2 if name == example.CATEGORY else 0.2) * (values == CATEGORIES[name][0])
    names = zip(moment.dt.strftime("%Y-%m-%d"), range(count), strict=True)
«% if kind == "binary" %»
    outcome = (score > 1.5).astype(float)
«% else %»
    outcome = (score * «scale»).clip(«outcome_range[0]», «outcome_range[1]»).round(3)
«% endif %»
    columns = {ID: [f"{day}-{number}" for day, number in names], TIME: moment, **numbers, **categories}
    columns[OUTCOME] = np.where(random.random(count) < 0.02, np.nan, outcome)
    table = pd.DataFrame(columns)[[*example.EXAMPLE, OUTCOME]]
    table.loc[random.random(count) < 0.01, list(NUMBERS)] = np.nan
    return table


def write_days(table: pd.DataFrame, folder: Path) -> None:
    """Write the instances of each day, and how they ended, to a file each, as the upstream drops them."""
    for kind, columns in {ROWS: table.columns.drop(OUTCOME), OUTCOMES: [ID, OUTCOME]}.items():
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for day, rows in table.groupby(table[TIME].dt.date):
            rows[columns].to_parquet(folder / kind / f"{day}.parquet", index=False)


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Skip what asks about a kind of column that this project has none of."""
    absent = {name for name, value in vars(example).items() if value in (example.ABSENT, {})} - {"ABSENT"}
    for item in items:
        given = item.callspec.params.values() if hasattr(item, "callspec") else ()
        functions = [each.__code__ for each in (item.function, *given) if hasattr(each, "__code__")]
        used = {name for code in functions for name in code.co_names}
        if example.ABSENT in item.name or absent & used:
            item.add_marker(pytest.mark.skip(reason=f"no column to ask about: {', '.join(sorted(absent))}"))


@pytest.fixture(scope="session")
def _instances() -> pd.DataFrame:
    return make_instances(days=14)


@pytest.fixture
def instances(_instances: pd.DataFrame) -> pd.DataFrame:
    """Return two weeks of made-up instances that ended, for a test to do with what it likes."""
    return _instances.dropna(subset=OUTCOME).reset_index(drop=True)
