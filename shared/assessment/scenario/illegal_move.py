"""Try to release a refused version past the delivery, in a process of the stage, by what moves its aliases there.

`python -m shared.assessment.scenario.illegal_move LEVEL VERSION` prints why it was not done, or nothing if it was.
"""

import importlib
import sys
from contextlib import redirect_stdout
from typing import Any


def move(level: str, version: str) -> str:
    """Release a version; return why the level did not."""
    errors: Any = importlib.import_module(f"{level}.errors")
    try:
        promotion: Any = importlib.import_module(f"{level}.delivery.promotion")
    except ModuleNotFoundError:
        importlib.import_module(f"{level}.registry.models").release(version)
        return ""
    params: Any = importlib.import_module(f"{level}.config.params")
    try:
        promotion.release(version, params.read_params().experiment)
    except errors.StageError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    with redirect_stdout(sys.stderr):
        why = move(*sys.argv[1:])
    print(why)
