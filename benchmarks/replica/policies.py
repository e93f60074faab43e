"""The policies of a year: what each level does about its model, day by day, and the yardsticks beside them.

A policy is a generator. For each day it yields what it answers for the flights of that day; it may look at every
flight before, and at none after.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from level3_deployment.config.params import read_params
from level3_deployment.daily import is_training_day
from level3_deployment.delivery.experiment import Plan, Verdict, verdict_of
from level3_deployment.delivery.review import SHADOW_DAYS, must_go_back
from level3_deployment.serving.routing import CHALLENGER, arm_of
from level4_full.config.params import read_params as read_level4_params
from level4_full.config.policy import Policy as Limits
from level4_full.config.policy import read_policy
from level4_full.data.labels import label_dispersion
from level4_full.monitoring.calibrate import fit
from level4_full.monitoring.decide import Observation, decide
from level4_full.monitoring.decisions import Action, Record, Status
from level4_full.monitoring.shadow import is_worth_it
from level4_full.serving.calibration import calibrated
from level4_full.training.evaluate import NotBetterError, check_beats
from shared.simulation.operator_model import read_assumptions, working_days_after
from shared.world.dataset import days
from shared.world.period import LIVE

from .gates import HELD_OUT, refused_by
from .year import Model, Year

Policy = Callable[[Year], Iterator[np.ndarray]]


def once(year: Year) -> Iterator[np.ndarray]:
    """Train before the first day, and never again."""
    model = year.model(LIVE)
    for day in year.live:
        yield model.probability[year.on(day)]


def monthly(year: Year) -> Iterator[np.ndarray]:
    """Train on all days before the first Monday of each month, and release at once."""
    model = year.model(LIVE)
    for day in year.live:
        if is_training_day(day):
            model = year.model(day)
        yield model.probability[year.on(day)]


def weekly(year: Year) -> Iterator[np.ndarray]:
    """Train on all days before every Monday, and release at once."""
    model = year.model(LIVE)
    for day in year.live:
        if day.weekday() == 0:
            model = year.model(day)
        yield model.probability[year.on(day)]


def level2(year: Year) -> Iterator[np.ndarray]:
    """Train on the first Monday of each month; people release the candidate, or train again if it is refused."""
    act = read_assumptions()["act"]
    held_out = timedelta(days=7)
    champion, waiting = year.model(LIVE - held_out), None
    release_on = retry_on = LIVE
    for day in year.live:
        if is_training_day(day) or retry_on == day > LIVE:
            candidate = year.model(day - held_out)
            by_people = retry_on == day
            if not beats_baselines(year, candidate, day - held_out):
                notice = 0 if by_people else 1
                retry_on = working_days_after(working_days_after(day, notice), act["alarm"]["days"])
            elif by_people:
                champion = candidate
            else:
                waiting, release_on = candidate, working_days_after(day, act["candidate waits"]["days"])
        if waiting and day == release_on:
            champion, waiting = waiting, None
        yield champion.probability[year.on(day)]


def beats_baselines(year: Year, candidate: Model, before: date) -> bool:
    """Tell whether a candidate is registered: on the seven days after its training data, no baseline is better."""
    held_out = year.between(before, before + timedelta(days=7))
    excess = {model.name: year.excess(candidate, model, held_out) for model in year.baselines(before)}
    try:
        check_beats(excess, list(excess))
    except NotBetterError:
        return False
    return True


@dataclass(frozen=True)
class Candidate:
    """A version of levels 3 and 4: the model that was judged, and its refit on all days, which serves."""

    trained_on: date
    judged: Model
    serves: Model

    @classmethod
    def of(cls, year: Year, day: date) -> "Candidate":
        """Train on the morning of a day."""
        return cls(day, year.model(day - HELD_OUT), year.model(day))


@dataclass
class Delivery:
    """What levels 3 and 4 do with a version: the gates, the A/B test, the previous champion in the shadow."""

    year: Year
    champion: Candidate
    challenger: Candidate | None = None
    previous: Candidate | None = None
    since: date = LIVE  # when the experiment began
    promoted_on: date = LIVE
    log: list[str] = field(default_factory=list)

    def deliver(self, candidate: Candidate, day: date) -> None:
        """Make a candidate the challenger, unless a gate refuses it."""
        if gates := refused_by(self.year, day, candidate.judged, self.champion.judged):
            self.log.append(f"{day} refused by {', '.join(gates)}")
        else:
            self.challenger, self.since = candidate, day
            self.log.append(f"{day} challenger")

    def review(self, day: date, plan: Plan) -> None:
        """Judge the challenger at the end of its experiment, and the champion beside its predecessor."""
        if self.challenger and day >= self.since + timedelta(days=plan.days):
            verdict, why = verdict_of(self._excess(self.challenger, self.champion, self.since, day), plan)
            if verdict is Verdict.PROMOTE:
                self.previous, self.champion, self.promoted_on = self.champion, self.challenger, day
            self.challenger = None
            self.log.append(f"{day} {verdict}: {why}")
        if self.previous and self.promoted_on < day <= self.promoted_on + timedelta(days=SHADOW_DAYS):
            excess = self._excess(self.champion, self.previous, self.promoted_on, day)
            if must_go_back(excess):
                self.champion, self.previous, self.challenger = self.previous, None, None
                self.log.append(f"{day} rolled back: {excess}")

    def answers(self, day: date, share: float, intercept: Callable[[Model], float] = lambda _: 0.0) -> np.ndarray:
        """Return what is answered on a day: by the challenger for its share of flight numbers."""
        where = self.year.on(day)

        def answered(model: Model) -> np.ndarray:
            return calibrated(model.probability[where], intercept(model))

        answers = answered(self.champion.serves)
        if self.challenger is None:
            return answers
        flights = self.year.table.iloc[where]
        arms = [
            arm_of(f"{carrier}{flight}", str(self.since), share)
            for carrier, flight in zip(flights["carrier"], flights["flight"], strict=True)
        ]
        return np.where(np.array(arms) == CHALLENGER, answered(self.challenger.serves), answers)

    def _excess(self, candidate: Candidate, other: Candidate, first: date, end: date) -> Any:
        """Return a `Difference`: the same class in two levels, and two classes to a type checker."""
        return self.year.excess(candidate.serves, other.serves, self.year.between(first, end))


def level3(year: Year) -> Iterator[np.ndarray]:
    """Train on the first Monday of each month; what passes the gates and is not surely worse is promoted."""
    experiment = read_params().experiment
    plan = Plan(experiment.days, experiment.challenger_share, is_change=False)
    delivery = Delivery(year, Candidate.of(year, LIVE))
    for day in year.live:
        delivery.review(day, plan)
        if is_training_day(day):
            delivery.deliver(Candidate.of(year, day), day)
        yield delivery.answers(day, plan.share)


def level4(year: Year) -> Iterator[np.ndarray]:
    """Decide every morning as level 4 does: triggers, a refit in the shadow, guards; and calibrate."""
    policy, experiment = read_policy(), read_level4_params().experiment
    plan = Plan(experiment.days, experiment.challenger_share, is_change=False)
    delivery, decisions = Delivery(year, Candidate.of(year, LIVE)), list[Record]()
    for day in year.live:
        delivery.review(day, plan)
        decision = decide(_observe(delivery, day, decisions), policy)
        action, alarm = decision.action, decision.alarm
        if action is Action.REFIT and is_worth_it(_shadow_refit(delivery, day, policy), policy.shadow):
            action = Action.RETRAIN
        if alarm and action in {Action.REFIT, Action.RETRAIN}:
            decisions.append(Record(str(day), str(day), action, alarm.cause, "", {}, Status.DONE))
        if action is Action.RETRAIN:
            delivery.deliver(Candidate.of(year, day), day)
        yield delivery.answers(day, plan.share, partial(_intercept, year, day=day, policy=policy))


def _observe(delivery: Delivery, day: date, decisions: list[Record]) -> Observation:
    """Gather what level 4 decides from: the champion's daily bias and share out of range, since it was trained."""
    year, champion = delivery.year, delivery.champion
    rows = {}
    for past in days(max(LIVE, champion.trained_on), day):
        where = year.on(past)
        known = past < day  # today's outcomes are not
        bias = (champion.serves.probability[where] - year.late[where]).mean() if known else np.nan
        unlike = year.out_of_range_share(champion.trained_on, past)
        rows[str(past)] = {"raw_bias": bias, "out_of_range_share": unlike}
    trainings = [decision.day for decision in decisions if decision.action is Action.RETRAIN]
    last = date.fromisoformat(trainings[-1]) if trainings else LIVE
    flights = year.between(last, day)
    return Observation(
        day=str(day),
        window=pd.DataFrame.from_dict(rows, orient="index"),
        skew=0.0,
        silent_days=0,
        new_flights=flights.stop - flights.start,
        age_days=(day - champion.trained_on).days,
        in_ab_test=delivery.challenger is not None,
        decisions=decisions,
    )


def _shadow_refit(delivery: Delivery, day: date, policy: Limits) -> Any:
    """Return the excess log loss of a refit over the champion on the last days."""
    first = day - timedelta(days=policy.shadow.days)
    where = delivery.year.between(max(LIVE, first), day)
    return delivery.year.excess(delivery.year.model(first), delivery.champion.serves, where)


def _intercept(year: Year, model: Model, day: date, policy: Limits) -> float:
    """Return the intercept of a model on the morning of a day."""
    where = year.between(max(LIVE, day - timedelta(days=policy.calibration.days)), day)
    late = year.late[where].astype(int)
    whole = day >= LIVE + timedelta(days=policy.calibration.days)
    if whole and label_dispersion(year.table.iloc[where], late) < policy.calibration.min_label_dispersion:
        return 0.0
    return fit(model.probability[where], late, policy.calibration)
