"""Package a trained pipeline as an immutable artifact that needs neither scikit-learn nor pickle."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.pipeline import Pipeline

from ..config.problem import OUTCOME
from ..data.features import CATEGORICAL, make_features
from ..registry.artifact import DESCRIPTION, MODEL, digest_of
from ..training.model import late_probability

OPSET = 18  # version of the ONNX operators, fixed so that the same model gives the same bytes
GOLDEN_REQUESTS = 20


def package(model: Pipeline, recent: pd.DataFrame, metadata: dict[str, Any], folder: Path) -> str:
    """Write model and description into `folder`, and return their digest, which is the package's name.

    Args:
        model: the fitted pipeline.
        recent: real flights; the last ones become golden requests, with the predictions of `model`.
        metadata: further description, such as parameters and run.
        folder: made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    kinds = {
        name: StringTensorType([None, 1]) if name in CATEGORICAL else FloatTensorType([None, 1])
        for name in make_features(recent.head(1))
    }
    exact = exact_in_single(model)
    options = {id(exact.steps[-1][1]): {"zipmap": False}}
    converted = to_onnx(exact, initial_types=list(kinds.items()), options=options, target_opset=OPSET)
    # They come in the order of a set, which differs from process to process.
    converted.opset_import.sort(key=lambda opset: opset.domain)
    (folder / MODEL).write_bytes(converted.SerializeToString())
    golden = recent.tail(GOLDEN_REQUESTS)
    flights = json.loads(golden.drop(columns=OUTCOME).to_json(orient="records", date_format="iso"))
    description = {
        "inputs": {name: "string" if name in CATEGORICAL else "float" for name in kinds},
        "golden": [
            {"flight": flight, "late_probability": probability}
            for flight, probability in zip(flights, late_probability(model, golden).tolist(), strict=True)
        ],
        **metadata,
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=1, sort_keys=True))
    return digest_of(folder)


def exact_in_single(model: Pipeline) -> Pipeline:
    """Return a model that says the same about single precision features, with thresholds of single precision.

    The package has only room for those. The nearest one may lie above the threshold of the model, and a feature
    exactly there would take the other branch; the nearest one below never differs.
    """
    exact = deepcopy(model)
    boosted = getattr(exact.steps[-1][1], "_predictors", [])  # other models have single precision themselves
    for predictor in (predictor for predictors in boosted for predictor in predictors):
        threshold = predictor.nodes["num_threshold"]
        nearest = threshold.astype(np.float32)
        below = np.nextafter(nearest, np.float32(-np.inf))
        predictor.nodes["num_threshold"] = np.where(nearest > threshold, below, nearest)
    return exact
