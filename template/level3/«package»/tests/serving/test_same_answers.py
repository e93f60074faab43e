"""Training and serving give the same answers: what is computed from files, and what is asked over HTTP."""

from pathlib import Path

import numpy as np
import pandas as pd

from ...config.problem import OUTCOME, ROWS
from ...delivery.package import package
from ...registry.artifact import load
from ...serving import app, rollout
from ...serving.api import Request
from ...training.model import «prediction»
from ...training.train import train
from ..example import UNSEEN


def test_training_and_serving_give_the_same_answers(instances: pd.DataFrame, tmp_path: Path) -> None:
    model = train(instances, {"max_iter": 20, "min_samples_leaf": 5, "random_state": 0})
    champion = rollout.Arm("small", load(tmp_path, package(model, instances, {}, tmp_path)))
    never_seen = {name: [value, *instances[name][1:]] for name, value in UNSEEN.items()}
    asked = instances.drop(columns=OUTCOME).assign(**never_seen)
    content = asked.to_json(orient="records", date_format="iso")
    request = Request.model_validate_json(f'{{"{ROWS}": {content}}}')
    served = [
        answer.«prediction» for answer in app.predict_instances(rollout.Rollout(champion), request.instances)
    ]
    assert np.ptp(served) > 0.5
    np.testing.assert_allclose(served, «prediction»(model, asked), rtol=0, atol=1e-6)
