"""Refit: after the judgement, the model is trained on the held-out days too, the newest there are."""

import mlflow
import numpy as np
import pandas as pd

«% if kind == "binary" %»
from ..config.params import Params
«% else %»
from ..config.params import Params
from ..config.problem import LABEL_SCALE
«% endif %»
from ..data.features import make_features
from ..registry import models
from .evaluate import hold_out
from .model import «prediction»
from .tasks import once_per_run
from .train import train

«% if kind == "binary" %»
MOVED = 0.1  # in probability
MAX_MOVED_SHARE = 0.5  # guess: of the held-out instances
«% else %»
MOVED = 0.25 * LABEL_SCALE
MAX_MOVED_SHARE = 0.5  # guess: of the held-out instances
«% endif %»


@once_per_run()
def refit(path: str, judged: str, params: Params) -> str:
    """Train on all days, and return the model that is to be released.

    Nobody can judge the refitted model on days that it has not seen. It must predict much like the judged one,
    which is released instead if it does not.
    """
    past, recent = hold_out(pd.read_parquet(path), params.holdout_days)
    mlflow.set_tag("judged", judged)
    refitted = train(pd.concat([past, recent]), params.model.model_dump())
    changes = «prediction»(refitted, recent) - «prediction»(models.load(judged), recent)
    moved = float((np.abs(changes) > MOVED).mean())
    mlflow.log_metric("refit_moved_share", moved)
    if not moved <= MAX_MOVED_SHARE:  # so that NaN moves too
        return judged
    return models.log_model(refitted, pd.DataFrame(make_features(recent.tail(5))), "refitted")
