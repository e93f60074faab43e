"""The application: predictions over HTTP, and its own operational metrics."""

import hashlib
import os
import pickle
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import sklearn.ensemble  # noqa: F401 - the pickle needs it: seconds at the start, not in the first request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi_offline import FastAPIOffline
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from ..config import paths
from ..config.problem import TITLE
from ..config.version import application_version
from ..data.schema import Instance
from .api import NOT_ANSWERED, Prediction, Request, Response
from .body_timeout import BodyTimeout

MAX_BODY_BYTES = 8 * 2**20  # bytes: 10,000 instances take about 4 MB
SECONDS_FOR_BODY = 10.0  # between two parts of it

# Its page asks no other host for anything; the other one, at /redoc, would.
app = FastAPIOffline(title=TITLE, redoc_url=None)
app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)
app.add_middleware(BodyTimeout, seconds=SECONDS_FOR_BODY)
Instrumentator().instrument(app).expose(app, include_in_schema=False)


class NoModelError(Exception):
    """No model has been released yet."""


@cache
def load_model() -> tuple[Any, str]:
    """Return the model and the start of its file's SHA-256; another file is read after a restart."""
    path = paths.APP / "model.pkl"
    if not path.exists():
        raise NoModelError
    content = path.read_bytes()
    return pickle.loads(content), hashlib.sha256(content).hexdigest()[:12]  # noqa: S301 - handed over by a colleague


def to_row(instance: Instance) -> dict[str, Any]:
    """Compute the features of one instance, as the note beside the model says."""
    return {
«% for column in columns if column.type == "category" %»
        "«column.name»": instance.«column.name» or "",
«% endfor %»
«% if hours %»
        "minute_of_day": instance.«time».hour * 60 + instance.«time».minute,
«% endif %»
        "weekday": instance.«time».weekday(),
«% for column in columns if column.type == "number" %»
        "«column.name»": instance.«column.name»,
«% endfor %»
    }


@app.post("/predict", responses=NOT_ANSWERED)
def predict(request: Request) -> Response:
    """Answer each instance's prediction, in the order of the request."""
    model, name = load_model()
    rows = pd.DataFrame([to_row(instance) for instance in request.instances])
    numbers = rows.columns.drop(«columns | selectattr("type", "equalto", "category") | map(attribute="name") | list»)
«% if kind == "binary" %»
    label = model.predict_proba(rows.astype(dict.fromkeys(numbers, np.float32)))[:, 1]
«% else %»
    label = model.predict(rows.astype(dict.fromkeys(numbers, np.float32)))
«% endif %»
    return Response(
        predictions=[
            Prediction(«id»=instance.«id», «prediction»=probability, model=name)
            for instance, probability in zip(request.instances, label.tolist(), strict=True)
        ]
    )


@app.get("/version")
def version() -> dict[str, str | int | None]:
    """Name the application and the model that answer."""
    try:
        _, model = load_model()
    except NoModelError:
        model = None
    return {"application": application_version(), "process": os.getpid(), "model": model}


@app.get("/healthz", include_in_schema=False)
def healthz() -> dict[str, str]:
    """Answer while the process lives."""
    return {"status": "ok"}


@app.get("/", include_in_schema=False)
def root() -> RedirectResponse:
    """Lead to the page that explains the application."""
    return RedirectResponse("/docs")


@app.exception_handler(NoModelError)
def no_model(_: Any, __: NoModelError) -> JSONResponse:
    """Answer 503: the request is fine, but no model has been released."""
    return JSONResponse({"detail": "no model has been released yet: release one"}, status_code=503)


@app.exception_handler(RequestValidationError)
def bad_request(_: Any, error: RequestValidationError) -> JSONResponse:
    """Answer 422: name the first ten wrong fields, without sending their values back."""
    problems = [
        {"field": ".".join(map(str, problem["loc"])), "problem": problem["msg"]} for problem in error.errors()[:10]
    ]
    return JSONResponse({"detail": problems}, status_code=422)
