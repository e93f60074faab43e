"""The daily review: what becomes of the challenger, and whether the champion must go back."""

from dataclasses import asdict
from datetime import date, timedelta

from ..config import paths
from ..events import Event, Kind
from ..registry import models
from ..serving.prediction_log import experiment_predictions, predictions_since
from ..training.paired import Difference
from . import following, promotion
from .experiment import Plan, Verdict, excess_of, judge, paired_answers
from .promotion import CHALLENGER, PREVIOUS

SHADOW_DAYS = 14  # in which the previous champion predicts beside the new one, and may come back
MIN_DAYS = 3
MAX_EXCESS_LOG_LOSS, CONFIDENCE = 0.005, 0.99  # at each of the daily looks


def review_challenger(day: date) -> list[Event]:
    """Review the running experiment, if there is one, and do what its verdict says."""
    champion, version = models.champion(), models.version_of(CHALLENGER)
    if champion is None or version is None:
        return []
    if harm := following.problem_of(version):
        return [Event(Kind.WITHDRAWN, promotion.withdraw(f"harm to the service, {harm}"))]
    challenger, tags = models.version(version), models.tags()
    recipes = {models.training_of(arm).tags["recipe"] for arm in (champion, challenger)}
    days, share = int(tags["experiment_days"]), float(tags["challenger_share"])
    plan = Plan(days, share, is_change=len(recipes) > 1)
    rows = experiment_predictions(paths.PREDICTION_LOG, tags["experiment"])
    names = models.served_as(champion), models.served_as(challenger)
    answers = paired_answers(rows, *names, paths.DATA, tags["experiment_began"])
    standing = judge(answers, plan)
    facts = asdict(standing)
    if standing.verdict is Verdict.PROMOTE:
        return [Event(Kind.PROMOTED, promotion.promote(str(standing), day), facts)]
    if standing.verdict is Verdict.WITHDRAW:
        return [Event(Kind.WITHDRAWN, promotion.withdraw(str(standing)), facts)]
    return [Event(Kind.REVIEWED, str(standing), facts)]


def review_champion(day: date) -> list[Event]:
    """Compare the champion with the one that it replaced; bring that one back if the new one is surely worse."""
    champion, version = models.champion(), models.version_of(PREVIOUS)
    if champion is None and (served := following.goes_on()):
        return [Event(Kind.FAILED, f"the registry names no champion: {served} goes on until one is released")]
    if champion is None or version is None:
        return []
    promoted_on = models.tags()["promoted_on"]
    if day > date.fromisoformat(promoted_on) + timedelta(days=SHADOW_DAYS):
        models.set_alias(PREVIOUS, None)
        return []
    names = models.served_as(models.version(version)), models.served_as(champion)
    rows = predictions_since(paths.PREDICTION_LOG, promoted_on)
    excess = excess_of(paired_answers(rows, *names, paths.DATA, promoted_on))
    if excess is None or not must_go_back(excess):
        harm = following.problem_of(version)
        text = f"nothing predicts beside the champion, so none can come back by itself: {harm}"
        return [Event(Kind.FAILED, text)] if harm else []
    why = f"loss {excess} above that of version {version} over {excess.days} days"
    return [Event(Kind.ROLLED_BACK, promotion.rollback(why), asdict(excess))]


def must_go_back(excess: Difference) -> bool:
    """Tell whether a champion that loses so much more than the one before it is surely worse."""
    return excess.days >= MIN_DAYS and excess.lower(CONFIDENCE) > MAX_EXCESS_LOG_LOSS
