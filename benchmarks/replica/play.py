"""Play policies over the year, and compare what they answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.progress import track

from level4_full.training.evaluate import log_losses
from level4_full.training.paired import Difference, paired_difference
from shared.world.period import LIVE

from . import policies
from .policies import Policy
from .year import Year

ONCE = "trained once"
BASE = "level 2"


@dataclass(frozen=True)
class Played:
    """What a policy answered: the log loss of each flight from the first live day on."""

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
    return Played(log_losses(answers, year.late[first:]), year.day[first:])


def constant(year: Year) -> Iterator[np.ndarray]:
    """Answer every flight with the share of the year: no policy, since it knows the future."""
    share = year.late[year.on(LIVE).start :].mean()
    for day in year.live:
        yield np.full(len(year.late[year.on(day)]), share)


def oracle(year: Year) -> Iterator[np.ndarray]:
    """Answer every flight with the share of its day: no policy, since it knows the future."""
    for day in year.live:
        late = year.late[year.on(day)]
        yield np.full(len(late), late.mean())


PLAYED: dict[str, Policy] = {
    "a constant": constant,
    "an oracle of each day's share": oracle,
    ONCE: policies.once,
    "refitted monthly": policies.monthly,
    "refitted weekly": policies.weekly,
    BASE: policies.level2,
    "level 3": policies.level3,
    "level 4": policies.level4,
}


def play_all(year: Year) -> dict[str, Played]:
    """Play each of the policies."""
    return {name: play(policy, year) for name, policy in track(list(PLAYED.items()), "policies")}


def measure(played: dict[str, Played]) -> dict[str, Any]:
    """Return the log loss of each policy, and its difference from level 2."""
    return {name: compared(of_policy, played[BASE]) for name, of_policy in played.items()}


def compared(played: Played, base: Played) -> dict[str, Any]:
    """Return the log loss of a policy, and its difference from another."""
    excess = played.against(base)
    t = excess.mean / excess.error if excess.error else 0.0
    return {"log_loss": played.log_loss, "against level 2": str(excess), "t": t}
