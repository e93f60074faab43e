"""Training and serving give the same answers: what is computed from files, and what is asked over HTTP."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ...config.problem import NAME, OUTCOME, ROWS
from ...registry import models
from ...serving import app
from ...serving.api import Request
from ...training.model import «prediction»
from ...training.train import train
from ..example import UNSEEN


def test_training_and_serving_give_the_same_answers(
    instances: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = train(instances, {"max_iter": 20, "min_samples_leaf": 5, "random_state": 0})
    champion = SimpleNamespace(name=NAME, version="1", source="somewhere")
    monkeypatch.setattr(models, "champion", lambda: champion)
    monkeypatch.setattr(models, "load", lambda source: model)
    app.load_model.cache_clear()
    never_seen = {name: [value, *instances[name][1:]] for name, value in UNSEEN.items()}
    asked = instances.drop(columns=OUTCOME).assign(**never_seen)
    content = asked.to_json(orient="records", date_format="iso")
    answers = app.predict(Request.model_validate_json(f'{{"{ROWS}": {content}}}')).predictions
    app.load_model.cache_clear()
    served = [answer.«prediction» for answer in answers]
    assert np.ptp(served) > 0.5
    np.testing.assert_allclose(served, «prediction»(model, asked), rtol=0, atol=1e-9)
