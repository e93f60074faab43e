"""The schemas of requests and responses."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ..data.schema import Flight

MAX_FLIGHTS = 10_000  # in a request


class Request(BaseModel):
    """The body of `POST /predict`."""

    model_config = ConfigDict(extra="forbid")

    flights: list[Flight] = Field(min_length=1, max_length=MAX_FLIGHTS)


class Prediction(BaseModel):
    """The prediction for one flight."""

    flight_id: str
    late_probability: float = Field(description="of arriving 15 minutes late or more")
    model: str


class Response(BaseModel):
    """The response of `POST /predict`, in the order of the request."""

    predictions: list[Prediction]


class Message(BaseModel):
    """Why a request as a whole was not answered, and what to do."""

    detail: str


class Problem(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="where it is, such as body.flights.0.origin")
    problem: str


class Problems(BaseModel):
    """What is wrong with a request; the first ten fields."""

    detail: list[Problem]


NOT_ANSWERED: dict[int | str, dict[str, Any]] = {
    400: {"model": Message, "description": "the body cannot be read"},
    408: {"model": Message, "description": "the body does not come"},
    413: {"content": {"text/plain": {}}, "description": "the body is too large"},
    422: {"model": Problems, "description": "the request breaks the schema"},
    503: {"model": Message, "description": "there is no model yet"},
}
