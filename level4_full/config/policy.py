"""The policy: the limits of the closed loop, and of the gates that compare a candidate with the champion."""

from .settings import Settings, SettingsFile, read_settings
from .version import PACKAGE

POLICY = PACKAGE / "policy.yaml"


class Promotion(Settings):
    """What stops a candidate, on days that neither it nor the champion was trained on."""

    min_label_dispersion: float
    max_excess_log_loss: float
    confidence: float
    max_shifts: dict[str, float]  # of the mean prediction, by kind of slice


class Performance(Settings):
    """When the daily bias of the champion adds up to an alarm; in units of its usual deviation from day to day."""

    daily_deviation: float
    slack: float
    threshold: float


class Drift(Settings):
    """How many flights may be out of the champion's range in one column, over the last `days`."""

    days: int
    max_out_of_range_share: float


class NewData(Settings):
    """How many outcomes make a training worth while."""

    flights: int


class Staleness(Settings):
    """How old the data of the champion may be."""

    days: int


class Retraining(Settings):
    """The triggers of a training."""

    performance: Performance
    drift: Drift
    new_data: NewData
    staleness: Staleness


class Shadow(Settings):
    """The refit in the shadow: on which weekdays (0 is Monday), over how many days, and what it must gain."""

    weekdays: list[int]
    days: int
    min_gain: float
    confidence: float
    days_between: int


class Calibration(Settings):
    """The intercept that is fitted every morning: to the outcomes of so many days, and its limits."""

    days: int
    prior_flights: float
    max_abs_intercept: float
    min_label_dispersion: float


class Feed(Settings):
    """When the flights published for a day are suspicious."""

    max_jump_ratio: float
    max_out_of_range_share: float
    max_distances: dict[str, float]  # by column
    min_observations: float
    min_rows_share: float
    min_rows_share_of_origin: float


class Guards(Settings):
    """What keeps a training from starting."""

    cool_down_days: int
    max_trainings_in_30_days: int
    max_failures_in_a_row: int
    retry_days: int
    max_skew_share: float
    max_silent_days: int


class Policy(SettingsFile):
    """policy.yaml."""

    promotion: Promotion
    retraining: Retraining
    shadow: Shadow
    calibration: Calibration
    feed: Feed
    guards: Guards


def read_policy() -> Policy:
    """Return policy.yaml."""
    return read_settings(POLICY, Policy)
