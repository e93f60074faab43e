"""The A/B test between champion and challenger: its length is fixed beforehand, and days are what it counts.

The challenger serves its share of instance numbers. Meanwhile both models predict every instance, and the log holds
both predictions, so the verdict is about the difference of their log losses on all instances.

That difference varies from day to day, not from instance to instance. A week of it says little, so what is asked
depends on what the challenger is. A retraining by the champion's own recipe, on newer data, is promoted unless
it is surely worse. A change that people made, to features or training, is promoted only if it is surely better.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
import pandas as pd

from ..config import problem
from ..config.database import Row
from ..config.problem import ID, OUTCOME, ROUTED_BY
from ..data import tables
from ..data.tables import INSTANCES, OUTCOMES, BadTableError
from ..serving.routing import CHALLENGER
from ..training.evaluate import losses_of
from ..training.model import label_of
from ..training.paired import Difference, paired_difference

NAMES = {name: INSTANCES[name] for name in (ID, *ROUTED_BY)}
CONFIDENCE = 0.99  # of each side
PATIENCE = 7  # more days, for delayed outcomes
MAX_ERRORS = 4  # standard errors between the share that was planned and the one that was served


class Verdict(StrEnum):
    """What to do with the challenger."""

    CONTINUE = "continue"
    PROMOTE = "promote"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class Plan:
    """What was fixed before the experiment began."""

    days: int
    share: float  # of instance numbers, that the challenger serves
    is_change: bool  # made by people, so it has to be better


@dataclass(frozen=True)
class Standing:
    """Where an experiment stands."""

    verdict: Verdict
    why: str
    days: int  # whose outcomes have landed
    share: float  # of the instances, that the challenger served
    excess: Difference | None  # loss of the challenger minus the champion's; None: no outcome has landed

    def __str__(self) -> str:
        """Return the standing in words."""
        excess = f"loss {self.excess} above the champion's" if self.excess else "no outcome yet"
        return f"{self.verdict} after {self.days} days, {excess}, {self.share:.1%} of instances: {self.why}"


def judge(answers: pd.DataFrame, plan: Plan) -> Standing:
    """Say where an experiment stands.

    Args:
        answers: a row for each instance, as `paired_answers` returns it.
        plan: what was fixed beforehand.
    """
    served = answers["arm"] == CHALLENGER
    share = float(served.mean()) if len(answers) else plan.share
    excess = excess_of(answers)
    days = excess.days if excess else 0
    verdict, why = Verdict.CONTINUE, f"{plan.days} days are planned"
    if abs(share - plan.share) > MAX_ERRORS * share_error(answers["routing_key"], plan.share):
        verdict = Verdict.WITHDRAW
        why = f"an error of the experiment, and not chance: {plan.share:.0%} of instance numbers were planned"
    elif excess and days >= plan.days:
        verdict, why = verdict_of(excess, plan)
    elif answers["day"].nunique() >= plan.days + PATIENCE:
        verdict, why = Verdict.WITHDRAW, f"the outcomes of {plan.days} days have not landed"
    return Standing(verdict, why, days, share, excess)


def verdict_of(excess: Difference, plan: Plan) -> tuple[Verdict, str]:
    """Return the verdict at the end of an experiment, and why."""
    if plan.is_change:
        better = excess.upper(CONFIDENCE) < 0
        why = "a change, and surely better" if better else "a change, and not surely better"
        return Verdict.PROMOTE if better else Verdict.WITHDRAW, why
    worse = excess.lower(CONFIDENCE) > 0
    return Verdict.WITHDRAW if worse else Verdict.PROMOTE, "surely worse" if worse else "not surely worse"


def excess_of(answers: pd.DataFrame) -> Difference | None:
    """Return the excess loss of the challenger, by day, over the instances whose outcome has landed."""
    landed = answers.dropna(subset=OUTCOME)
    if landed.empty:
        return None
    label = label_of(landed).to_numpy()
    challenger, champion = (losses_of(landed[name].to_numpy(), label) for name in ("challenger", "champion"))
    return paired_difference(challenger - champion, landed["day"].to_numpy())


def share_error(routing_keys: pd.Series, share: float) -> float:
    """Return the standard error of the share of instances that is served: routing keys are drawn, not instances."""
    instances = routing_keys.value_counts().to_numpy()
    return float(np.sqrt(share * (1 - share) * (instances**2).sum()) / instances.sum()) if len(instances) else np.inf


def paired_answers(rows: Iterable[Row], champion: str, challenger: str, data: Path, since: str) -> pd.DataFrame:
    """Return what two models predicted for the same instances, and how these ended.

    Anybody may ask about any instance, with any time. What counts is what the upstream has published: the
    instances of these days, each on the day that it was published for.

    Args:
        rows: predictions of the log, one for each instance.
        champion: the name of one model.
        challenger: the name of the other.
        data: the collected files; the last outcome of each instance counts.
        since: the first day (`2013-03-01`) whose instances count.

    Returns:
        Id, `day`, `routing_key`, `arm`, `champion`, `challenger`, and the outcome (NaN: not landed).
    """
    pairs = []
    for row in rows:
        by_model = json.loads(row["others"]) | {row["model"]: row["«prediction»"]}
        if champion in by_model and challenger in by_model:
            facts = {ID: row[ID], "arm": row["arm"]}
            pairs.append(facts | {"champion": by_model[champion], "challenger": by_model[challenger]})
    answers = pd.DataFrame(pairs, columns=[ID, "arm", "champion", "challenger"])
    landed = tables.read(_since(data / problem.OUTCOMES, since), OUTCOMES)
    landed = landed.dropna().drop_duplicates(ID, keep="last")
    return published(data, since).merge(answers, on=ID).merge(landed, on=ID, how="left")


def published(data: Path, since: str) -> pd.DataFrame:
    """Return id, `day` and `routing_key` of the instances that were published for a day and all later."""
    of_days = []
    for path in _since(data / problem.ROWS, since):
        with suppress(BadTableError):  # they count when the file has been published again
            of_days.append(tables.read([path], NAMES).assign(day=path.stem))
    if not of_days:
        return pd.DataFrame(columns=[ID, "day", "routing_key"])
    instances = pd.concat(of_days).drop_duplicates(ID)
    key = instances[ROUTED_BY].astype(str).sum(axis=1)
    return instances.assign(routing_key=key)[[ID, "day", "routing_key"]]


def _since(folder: Path, day: str) -> list[Path]:
    return sorted(path for path in folder.glob("*.parquet") if path.stem >= day)
