"""The shadow refit: what a training would gain is asked before one is released.

A refit that has not seen the last days predicts their instances after the fact, from the requests in the log, and is
compared there with the champion: both without calibration, which would hide from either what it has not learned.
"""

import pandas as pd

from ..config import paths
from ..config.params import read_params
from ..config.policy import Shadow
from ..config.problem import TIME
from ..data.snapshot import load_table
from ..training.evaluate import losses_of
from ..training.model import label_of, «prediction»
from ..training.paired import Difference, paired_difference
from ..training.train import train
from .dates import before


def shadow_refit(day: str, landed: pd.DataFrame, policy: Shadow) -> Difference:
    """Return the excess loss of a refit over the champion on the last days, clustered by day.

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
    label = label_of(landed).to_numpy()
    excess = losses_of(«prediction»(refit, landed), label) - losses_of(
        landed["raw_probability"].to_numpy(), label
    )
    return paired_difference(excess, landed["day"].to_numpy())


def is_worth_it(excess: Difference, policy: Shadow) -> bool:
    """Tell whether a refit gains so much that a training is worth it, and more than its days vary."""
    return excess.mean < -policy.min_gain and excess.upper(policy.confidence) < 0
