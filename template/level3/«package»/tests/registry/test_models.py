"""What a training of this project has registered, and what somebody else has: anybody can register anything."""

import pytest
from mlflow.entities.model_registry import ModelVersion, ModelVersionTag

from ...registry.models import MADE_HERE, NotMadeHereError, check_made_here, number_of


def registered(run: str, *tags: str) -> ModelVersion:
    """Return a version as the registry gives it."""
    return ModelVersion("model", "3", 0, run_id=run, tags=[ModelVersionTag(name, "known") for name in tags])


def test_a_version_of_a_training_is_accepted() -> None:
    check_made_here(registered("9c1f", *MADE_HERE, "digest"))


@pytest.mark.parametrize(
    "version", [registered("", *MADE_HERE), registered("9c1f"), registered("9c1f", *list(MADE_HERE)[1:])]
)
def test_a_version_that_no_training_has_made_is_refused(version: ModelVersion) -> None:
    with pytest.raises(NotMadeHereError, match="version 3 "):
        check_made_here(version)


@pytest.mark.parametrize(("model", "number"), [("churn-model/12@0123456789ab", "12"), ("", "")])
def test_the_number_of_a_model_is_in_its_name(model: str, number: str) -> None:
    assert number_of(model) == number
