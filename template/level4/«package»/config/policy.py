"""The policy: the limits of the closed loop, and of the gates that compare a candidate with the champion."""

from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt

from .settings import Settings, SettingsFile, read_settings
from .version import PACKAGE

POLICY = PACKAGE / "policy.yaml"


class Promotion(Settings):
    """What stops a candidate, on days that neither it nor the champion was trained on."""

    max_excess_loss: NonNegativeFloat
    confidence: NonNegativeFloat
    max_excess_of_small: NonNegativeFloat
    max_shifts: dict[str, NonNegativeFloat]  # of the mean prediction, by kind of slice


class Performance(Settings):
    """When the daily bias of the champion adds up to an alarm; in units of its usual deviation from day to day."""

    daily_deviation: NonNegativeFloat
    slack: NonNegativeFloat
    threshold: NonNegativeFloat


class Drift(Settings):
    """How many instances may be out of the champion's range in one column, over the last `days`."""

    days: NonNegativeInt
    max_out_of_range_share: NonNegativeFloat


class NewData(Settings):
    """How many outcomes make a training worth while."""

    instances: NonNegativeInt


class Staleness(Settings):
    """How old the data of the champion may be."""

    days: NonNegativeInt


class Retraining(Settings):
    """The triggers of a training."""

    performance: Performance
    drift: Drift
    new_data: NewData
    staleness: Staleness


class Shadow(Settings):
    """The refit in the shadow: on which weekdays (0 is Monday), over how many days, and what it must gain."""

    weekdays: list[NonNegativeInt]
    days: NonNegativeInt
    min_gain: NonNegativeFloat
    confidence: NonNegativeFloat
    days_between: NonNegativeInt


class Calibration(Settings):
    """The intercept that is fitted every morning: to the outcomes of so many days, and its limits."""

    days: NonNegativeInt
    prior_instances: NonNegativeFloat
    max_abs_intercept: NonNegativeFloat


class Feed(Settings):
    """When the instances published for a day are suspicious."""

    max_jump_ratio: NonNegativeFloat
    max_out_of_range_share: NonNegativeFloat
    max_distances: dict[str, NonNegativeFloat]  # by column
    min_rows_share: NonNegativeFloat


class Guards(Settings):
    """What keeps a training from starting."""

    cool_down_days: NonNegativeInt
    max_trainings_in_30_days: NonNegativeInt
    max_failures_in_a_row: NonNegativeInt
    retry_days: NonNegativeInt
    max_skew_share: NonNegativeFloat
    max_silent_days: NonNegativeInt


class Policy(SettingsFile):
    """policy.yaml."""

    promotion: Promotion
    retraining: Retraining
    shadow: Shadow
    calibration: Calibration
    feed: Feed
    freshness: dict[Literal["outcome_days"], NonNegativeFloat]
    service: dict[Literal["p95_ms", "memory_mb"], NonNegativeFloat]
    max_bias: NonNegativeFloat
    owners: dict[Literal["upstream", "packages"], str]
    guards: Guards


def read_policy() -> Policy:
    """Return policy.yaml."""
    return read_settings(POLICY, Policy)
