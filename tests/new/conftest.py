"""A new repository knows nothing of this one: what other tests have set does not reach it."""

import os
from collections.abc import Iterator

import pytest

OURS = ("STAGE", "MLFLOW_", "PREFECT_", "OMP_")


@pytest.fixture(autouse=True, scope="module")
def _environment() -> Iterator[None]:
    """Take out of the environment what tests of the levels leave there for their modules."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(OURS)]:
            patch.delenv(name)
        yield
