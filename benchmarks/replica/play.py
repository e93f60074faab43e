"""Play policies over the year, and compare what they answer."""

from dataclasses import dataclass

import numpy as np

from level4_full.training.evaluate import log_losses
from level4_full.training.paired import Difference, paired_difference
from shared.world.period import LIVE

from .policies import Policy
from .year import Year


@dataclass(frozen=True)
class Played:
    """What a policy answered: the log loss of each flight from the first live day on."""

    name: str
    losses: np.ndarray
    day: np.ndarray

    @property
    def log_loss(self) -> float:
        """Return the mean of the year."""
        return float(self.losses.mean())

    def against(self, other: "Played") -> Difference:
        """Return the excess log loss over another policy, with its error clustered by week."""
        return paired_difference(self.losses - other.losses, self.day // 7)


def play(policy: Policy, year: Year) -> Played:
    """Play a policy over every live day."""
    answers = np.concatenate(list(policy(year)))
    first = year.on(LIVE).start
    return Played(policy.__name__, log_losses(answers, year.late[first:]), year.day[first:])
