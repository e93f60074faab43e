"""What many begin with: the pipeline behind one function, without schema, log or release."""

import os

import mlflow.sklearn
import pandas as pd
from fastapi import FastAPI

app = FastAPI()
model = mlflow.sklearn.load_model(os.environ["MODEL"])


@app.post("/predict")
def predict(features: list[dict[str, float | str | None]]) -> list[float]:
    """Return the probability of each row of features."""
    return list(model.predict_proba(pd.DataFrame(features))[:, 1].tolist())
