"""The shadow refit: what a training would gain is asked before one is released.

A refit that has not seen the last days predicts their flights after the fact, from the requests in the log, and is
compared there with the champion: both without calibration, which would hide from either what it has not learned.
"""

import pandas as pd

from ..config import paths
from ..config.params import read_params
from ..config.policy import Shadow
from ..config.problem import TIME
from ..data.snapshot import load_table
from ..training.evaluate import log_losses
from ..training.model import is_late, late_probability
from ..training.paired import Difference, paired_difference
from ..training.train import train
from .dates import before


def shadow_refit(day: str, landed: pd.DataFrame, policy: Shadow) -> Difference:
    """Return the excess log loss of a refit over the champion on the last days, clustered by day.

    Args:
        day: today.
        landed: the requests of the last days whose outcomes have landed, with these, and with `raw_probability`:
            what the champion says without calibration.
        policy: how many days.
    """
    first = before(day, policy.days)
    table = load_table(paths.DATA)
    refit = train(table[table[TIME] < first], read_params().model.model_dump())
    landed = landed[landed["day"] >= first]
    late = is_late(landed).to_numpy()
    excess = log_losses(late_probability(refit, landed), late) - log_losses(
        landed["raw_probability"].to_numpy(), late
    )
    return paired_difference(excess, landed["day"].to_numpy())


def is_worth_it(excess: Difference, policy: Shadow) -> bool:
    """Tell whether a refit gains so much that a training is worth it, and more than its days vary."""
    return excess.mean < -policy.min_gain and excess.upper(policy.confidence) < 0
