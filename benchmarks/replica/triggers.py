"""How often the performance trigger of level 4 alarms when nothing is to be learned, looked at every day.

The model is never older than a week, so that a training has nothing to teach it. Its daily bias is drawn in blocks
of days, since days resemble each other: single days would make the trigger look far better than it is.
"""

from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track

from level4_full.config.policy import read_policy
from level4_full.monitoring.triggers import retraining_alarm

from .year import Year

BLOCKS = (1, 7)  # days
YEARS = 100


def daily_bias(year: Year) -> np.ndarray:
    """Return the mean of prediction minus label of each live day, by a model that is trained anew every Monday."""
    bias, model = [], year.model(next(year.live))
    for day in year.live:
        if day.weekday() == 0:
            model = year.model(day)
        where = year.on(day)
        bias.append((model.probability[where] - year.late[where]).mean())
    return np.array(bias)


def drawn(bias: np.ndarray, block: int, random: np.random.Generator) -> np.ndarray:
    """Return as many days, in which nothing is to be learned: blocks of the bias, without its mean."""
    starts = random.integers(0, len(bias) - block + 1, -(-len(bias) // block))
    return np.concatenate([bias[start : start + block] for start in starts])[: len(bias)] - bias.mean()


def alarms(bias: np.ndarray) -> list[int]:
    """Return the days on which the trigger alarms, looked at every morning; after an alarm it adds up anew."""
    policy, found, since = read_policy().retraining, [], 0
    index = pd.date_range("2013-01-01", periods=len(bias)).strftime("%Y-%m-%d")
    for day in range(1, len(bias) + 1):
        window = pd.DataFrame({"raw_bias": bias[since:day]}, index=index[since:day])
        if retraining_alarm(window, "", 0, 0, policy):
            found.append(day)
            since = day
    return found


def measure(year: Year) -> dict[str, Any]:
    """Return the share of weeks with a false alarm, by length of the blocks, and the alarms about an old model."""
    bias, random = daily_bias(year), np.random.default_rng(0)
    false = {}
    for block in track(BLOCKS, "false alarms"):
        counts = [len(alarms(drawn(bias, block, random))) for _ in range(YEARS)]
        false[str(block)] = float(np.mean(counts)) / (len(bias) / 7)
    first = year.model(next(year.live))
    old = [(first.probability[where] - year.late[where]).mean() for where in map(year.on, year.live)]
    return {
        "deviation": float(bias.std()),
        "autocorrelation": float(np.corrcoef(bias[:-1], bias[1:])[0, 1]),
        "false alarms": false,
        "alarms about a model that is never renewed": len(alarms(np.array(old))),
    }
