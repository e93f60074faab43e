"""The floor: an endpoint that does nothing, on the server that levels 3 and 4 use."""

from fastapi import FastAPI

app = FastAPI()


@app.post("/predict")
async def nothing() -> dict[str, str]:
    """Answer without reading the request."""
    return {}
