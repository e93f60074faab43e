"""A made-up file of customers, as a team might have it: 14 columns, days first, some cells empty."""

from pathlib import Path

import numpy as np
import pandas as pd

ROWS, DAYS = 630, 30


def customers() -> pd.DataFrame:
    """Return the rows, all as they would be typed; the last ten are not known to have ended."""
    rng = np.random.default_rng(1)
    calls = rng.integers(0, 6, ROWS)
    left = rng.random(ROWS) < 0.1 + 0.1 * calls
    day = pd.Timestamp("2024-03-01") + pd.to_timedelta(np.arange(ROWS) * DAYS // ROWS, unit="D")
    table = pd.DataFrame(
        {
            "customerID": [f"{number:05}-X" for number in range(ROWS)],
            "Signed up": day.strftime("%d/%m/%Y"),
            "Last invoice": (day - pd.Timedelta(days=40)).to_period("M").strftime("%d.%m.%Y"),
            "Plan": rng.choice(["basic", "plus", "family"], ROWS),
            "City": rng.choice([f"city {number}" for number in range(30)], ROWS),
            "class": rng.choice(["A", "B"], ROWS),
            "Partner": rng.choice(["Yes", "No"], ROWS),
            "Monthly Charges ($)": (20 + 80 * rng.random(ROWS)).round(2).astype(str),
            "Total": (1000 * rng.random(ROWS)).round(1).astype(str),
            "Balance": rng.normal(0, 50, ROWS).round(1).astype(str),
            "Calls": calls.astype(str),
            "Comment": [f"said {number} things" for number in rng.permutation(ROWS) // 2],
            "Country": "AT",
            "Churned": np.where(left, "Yes", "No"),
        }
    )
    table.loc[::9, "City"] = ""
    table.loc[:2, "Total"] = " "
    table.loc[ROWS - 10 :, "Churned"] = ""
    return table


def write_csv(folder: Path, table: pd.DataFrame, delimiter: str = ",") -> Path:
    """Write a table as CSV; return the file."""
    path = folder / "customers.csv"
    table.to_csv(path, sep=delimiter, index=False)
    return path
