"""Score a published day: ask the application about every row, and write its answers to stage/scored/<day>.csv."""

import argparse
import http.client
import json
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pandas as pd

import stage
from «package».config import problem
from «package».config.files import replacing

«% if level == 1 %»
ROWS = "instances"  # the folder of the files that are published for a day, and the key of a request
«% else %»
ROWS = problem.ROWS
«% endif %»
ANSWER = "«prediction»"
AT_ONCE = 1_000  # rows in a request
SECONDS = 120.0  # for its answer


def score(day: str | None, show: int | None = None) -> pd.DataFrame:
    """Return the predictions for a day.

    Args:
        day: such as 2024-03-01; None: the newest that has been published.
        show: only for so many rows.

    Raises:
        StageError: nothing has been published for the day, or the application does not answer.
    """
    table = pd.read_parquet(published(day))[:show]
    address = stage.fill(stage.description()["predictions"], stage.running())
    answers: list[dict[str, Any]] = []
    for first in range(0, len(table), AT_ONCE):
        answers += ask(address, table.iloc[first : first + AT_ONCE])
    scored = pd.DataFrame(answers, columns=[problem.ID, ANSWER, "model"])
    return scored.rename(columns={problem.ID: "id", ANSWER: "prediction"})


def published(day: str | None) -> Path:
    """Return the file of a day, or the newest one.

    Raises:
        StageError: there is none.
    """
    folder = stage.STAGE / "drop" / ROWS
    found = sorted(folder.glob(f"{day or '*'}.parquet"))
    if not found:
        raise stage.StageError(f"nothing is published for {day or 'any day'} in {folder}: see `make publish`")
    return found[-1]


def ask(address: str, rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return what the application answers, one prediction for each row.

    Raises:
        StageError: it does not answer, or refuses; it says why.
    """
    given = rows.to_json(orient="records", date_format="iso", double_precision=15)
    request = urllib.request.Request(  # noqa: S310 - our own application
        address, f'{{"{ROWS}": {given}}}'.encode(), {"content-type": "application/json"}
    )
    try:
        with stage.DIRECT.open(request, timeout=SECONDS) as answer:
            predictions: list[dict[str, Any]] = json.load(answer)["predictions"]
    except urllib.error.HTTPError as error:
        raise stage.StageError(f"{address} answered {error.code}: {error.read(500).decode()}") from error
    except (OSError, http.client.HTTPException) as error:
        raise stage.StageError(f"{address} does not answer: {error}") from error
    return predictions


def main() -> None:
    """Print some predictions, or write those of a whole day."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("day", nargs="?", help="such as 2024-03-01; the newest published day, if left out")
    parser.add_argument("--show", type=int, metavar="N", help="print the first N, and write nothing")
    given = parser.parse_args()
    day = given.day or published(None).stem
    scored = score(day, given.show)
    if given.show:
        print(f"{day}\n{scored.to_string(index=False)}")
        return
    target = stage.STAGE / "scored" / f"{day}.csv"
    with replacing(target) as part:
        scored.to_csv(part, index=False)
    print(f"{target.relative_to(stage.ROOT)}: {len(scored):,} predictions")


if __name__ == "__main__":
    try:
        main()
    except stage.StageError as error:
        sys.exit(str(error))
