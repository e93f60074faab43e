"""Refit: after the judgement, the model is trained on the held-out days too, the newest there are."""

import mlflow
import numpy as np
import pandas as pd

from ..config.params import Params
from ..data.features import make_features
from ..registry import models
from .evaluate import hold_out
from .model import late_probability
from .tasks import once_per_run
from .train import train

MOVED = 0.1  # in probability
MAX_MOVED_SHARE = 0.5  # of the held-out flights: the largest of a year's clean refits is 0.39


@once_per_run()
def refit(path: str, judged: str, params: Params) -> str:
    """Train on all days, and return the model that is to be released.

    Nobody can judge the refitted model on days that it has not seen. It must predict much like the judged one,
    which is released instead if it does not.
    """
    past, recent = hold_out(pd.read_parquet(path), params.holdout_days)
    mlflow.set_tag("judged", judged)
    refitted = train(pd.concat([past, recent]), params.model.model_dump())
    changes = late_probability(refitted, recent) - late_probability(models.load(judged), recent)
    moved = float((np.abs(changes) > MOVED).mean())
    mlflow.log_metric("refit_moved_share", moved)
    if not moved <= MAX_MOVED_SHARE:  # so that NaN moves too
        return judged
    return models.log_model(refitted, pd.DataFrame(make_features(recent.tail(5))), "refitted")
