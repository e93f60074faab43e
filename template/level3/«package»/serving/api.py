"""The schemas of requests and responses."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..data.schema import Instance

MAX_INSTANCES = 10_000  # in a request


class Request(BaseModel):
    """The body of `POST /predict`."""

    model_config = ConfigDict(extra="forbid")

    instances: list[Instance] = Field(min_length=1, max_length=MAX_INSTANCES)


class Prediction(BaseModel):
    """The prediction for one instance."""

    «id»: str
«% if kind == "binary" %»
    «prediction»: float = Field(description="probability of «target»")
«% else %»
    «prediction»: float = Field(description="predicted «target»")
«% endif %»
    model: str
    arm: str


class Response(BaseModel):
    """The response of `POST /predict`, in the order of the request."""

    predictions: list[Prediction]


class Message(BaseModel):
    """Why a request as a whole was not answered, and what to do."""

    detail: str


class Problem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="where it is, such as body.instances.0.origin")
    problem: str


class Problems(BaseModel):
    """What is wrong with a request; the first ten fields."""

    detail: list[Problem]


NOT_ANSWERED: dict[int | str, dict[str, Any]] = {
    400: {"model": Message, "description": "the body cannot be read"},
    408: {"model": Message, "description": "the body does not come"},
    413: {"content": {"text/plain": {}}, "description": "the body is too large"},
    422: {"model": Problems, "description": "the request breaks the schema"},
    503: {"model": Message, "description": "there is no model yet, or the predictions cannot be logged"},
}
