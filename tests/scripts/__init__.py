"""Scripts that tests run in a stage, as `python -m tests.scripts.NAME`; LEVEL names the level."""

import importlib
import os
from typing import Any


def module(name: str) -> Any:
    """Return a module of the level, such as `delivery.pipeline`."""
    return importlib.import_module(f"{os.environ['LEVEL']}.{name}")
