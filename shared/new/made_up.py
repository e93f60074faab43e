"""A made-up table, for whoever has none at hand: customers, and whether they left."""

from datetime import date, timedelta

import numpy as np
import pandas as pd


def made_up(days: int = 90, per_day: int = 40, seed: int = 0) -> pd.DataFrame:
    """Return customers whose contracts came up for renewal, some `per_day` on each of the days until yesterday."""
    rng = np.random.default_rng(seed)
    first = pd.Timestamp(date.today() - timedelta(days=days))
    day = np.repeat(np.arange(days), rng.poisson(per_day, days))
    rows, passed = len(day), day / days
    plan = rng.choice(["basic", "plus", "family"], rows, p=[0.5, 0.3, 0.2])
    payment = rng.choice(["card", "transfer", "invoice"], rows, p=[0.6, 0.25, 0.15])
    tenure = np.ceil(rng.gamma(2.0, 14.0, rows))
    calls = rng.poisson(np.where(plan == "basic", 1.4, 0.8))
    usage = rng.lognormal(2.2, 0.6, rows)
    fee = np.select([plan == "basic", plan == "plus"], [19.0, 34.0], 49.0) + 8 * passed + rng.normal(0, 3, rows)
    odds = -1.5 + 0.6 * calls - 0.045 * tenure + 0.9 * (payment == "invoice") + 0.02 * (fee - 30) + 0.5 * passed
    table = pd.DataFrame(
        {
            "customer_id": [f"C{number:06}" for number in range(1, rows + 1)],
            "renewal": first + pd.to_timedelta(day * 1440 + rng.integers(360, 1320, rows), unit="min"),
            "plan": plan,
            "region": rng.choice(["north", "east", "south", "west"], rows),
            "payment": payment,
            "tenure_months": tenure,
            "monthly_fee": fee.round(2),
            "support_calls": calls.astype(float),
            "data_used_gb": usage.round(1),
            "churned": (rng.random(rows) < 1 / (1 + np.exp(-odds))).astype(int),
        }
    )
    table.loc[rng.random(rows) < 0.05, "data_used_gb"] = np.nan
    table.loc[rng.random(rows) < 0.03, "region"] = None
    return table.sort_values("renewal", ignore_index=True)
