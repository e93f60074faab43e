"""The application: predictions over HTTP, and its own operational metrics."""

import os
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from fastapi_offline import FastAPIOffline
from prometheus_fastapi_instrumentator import Instrumentator
from starlette.concurrency import run_in_threadpool
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from ..config import paths
from ..config.database import DatabaseError
from ..config.problem import ID, NAME, ROUTED_BY, TITLE
from ..config.version import application_version, code_hash
from ..data.features import make_features
from ..data.schema import Instance
from .api import NOT_ANSWERED, Prediction, Request, Response
from .body_timeout import BodyTimeout
from .prediction_log import Logged, LogWriter
from .rollout import Follower, Rollout
from .routing import CHALLENGER, CHAMPION, arm_of

MAX_BODY_BYTES = 8 * 2**20  # bytes: 10,000 instances take about 4 MB
SECONDS_FOR_BODY = 10.0  # between two parts of it
FEW = 10  # instances: a request this small takes less time than handing it to a thread

# Its page asks no other host for anything; the other one, at /redoc, would.
app = FastAPIOffline(title=TITLE, redoc_url=None)
app.add_middleware(RequestBodyLimitMiddleware, max_body_size=MAX_BODY_BYTES)
app.add_middleware(BodyTimeout, seconds=SECONDS_FOR_BODY)
Instrumentator().instrument(app).expose(app, include_in_schema=False)

follower = Follower(
    registry=os.environ.get("MLFLOW_TRACKING_URI", ""),
    model=NAME,
    alias=os.environ.get("ALIAS", CHAMPION),
    folder=paths.FETCHED,
)
log = LogWriter(paths.PREDICTION_LOG)


class NoModelError(Exception):
    """No model serves: none has been released, or the registry is away and none has served before."""


@app.post("/predict", responses=NOT_ANSWERED)
async def predict(request: Request) -> Response:
    """Return each instance's prediction, in the order of the request; logged before it is sent."""
    if len(request.instances) <= FEW and not log.is_far:
        return predict_and_log(request.instances)
    return await run_in_threadpool(predict_and_log, request.instances)  # others are answered meanwhile


def predict_and_log(instances: list[Instance]) -> Response:
    """Predict the instances of a request, and log what was predicted."""
    predictions = predict_instances(follower.rollout, instances)
    if follower.alias == CHAMPION:  # and not on staging, whose predictions nobody uses
        log.append(predictions)
    return Response(
        predictions=[
            Prediction(
                «id»=getattr(entry.instance, ID),
                «prediction»=entry.«prediction»,
                model=entry.model,
                arm=entry.arm,
            )
            for entry in predictions
        ]
    )


def predict_instances(rollout: Rollout, instances: list[Instance]) -> list[Logged]:
    """Let every model predict every instance; the routing says which of them serves it."""
    champion, challenger, experiment = rollout.champion, rollout.challenger, rollout.experiment
    if champion is None:
        raise NoModelError
    features = make_features({name: [getattr(instance, name) for instance in instances] for name in Instance.model_fields})
    by_model = follower.predict(champion, rollout.others, features)
    predictions = []
    for n, instance in enumerate(instances):
        others = {name: predicted[n] for name, predicted in by_model.items()}
        arm, serving = CHAMPION, champion
        if challenger and experiment and challenger.name in others:
            key = "".join(str(getattr(instance, name)) for name in ROUTED_BY)
            arm = arm_of(key, experiment, rollout.share)
            serving = challenger if arm == CHALLENGER else champion
        probability = others.pop(serving.name)
        predictions.append(Logged(instance, arm, serving.name, probability, experiment, others))
    return predictions


@app.get("/version")
def version() -> dict[str, str | int | float | None]:
    """Name the application and the models that serve, and the problem that keeps another one from serving."""
    rollout = follower.rollout
    return {
        "application": application_version(),
        "code": code_hash(),
        "process": os.getpid(),
        "model": rollout.champion.name if rollout.champion else None,
        "challenger": rollout.challenger.name if rollout.challenger else None,
        "challenger_share": rollout.share,
        "problem": follower.problem,
    }


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
    """Answer 503: the request is fine, but no model serves."""
    return JSONResponse({"detail": "no model serves: /version says why"}, status_code=503)


@app.exception_handler(DatabaseError)
def not_logged(_: Any, error: DatabaseError) -> JSONResponse:
    """Answer 503: what cannot be logged is not given away, since nobody could ever measure or explain it."""
    why = f"the predictions cannot be logged, so none are given: {error}"
    return JSONResponse({"detail": f"{why}; `salvage` mends a damaged log" if "malformed" in why else why}, 503)


@app.exception_handler(RequestValidationError)
def bad_request(_: Any, error: RequestValidationError) -> JSONResponse:
    """Answer 422: name the first ten wrong fields, without sending their values back."""
    problems = [
        {"field": ".".join(map(str, problem["loc"])), "problem": problem["msg"]} for problem in error.errors()[:10]
    ]
    return JSONResponse({"detail": problems}, status_code=422)
