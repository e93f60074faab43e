"""What is printed of a run that ends badly."""

import logging
import sys

import pytest

from ...errors import StageError
from ...operations.flow_logs import print_briefly


@pytest.fixture
def printed(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    print_briefly()
    print_briefly()  # a second import changes nothing
    caplog.set_level(logging.INFO)
    return caplog


def run(error: Exception) -> None:
    """Log what the orchestration logs when a task of a flow raises an error."""
    for name in ("prefect.task_runs", "prefect.flow_runs"):
        logger = logging.getLogger(name)
        logger.propagate = True
        logger.info("Running hook 'count' in response to entering state 'Failed'")
        try:
            raise error
        except Exception:
            logger.error("Encountered exception during execution: %r", error, exc_info=sys.exc_info())
        logger.error("Finished in state Failed('Task run encountered an exception %r')", error)


def test_a_refusal_names_the_step_and_leaves_the_reason_to_whoever_started_it(
    printed: pytest.LogCaptureFixture,
) -> None:
    run(StageError("a column is missing"))
    assert printed.messages == ["Finished in state Failed"] * 2


def test_a_crash_keeps_its_traceback(printed: pytest.LogCaptureFixture) -> None:
    run(ZeroDivisionError("division by zero"))
    assert [record.exc_info is not None for record in printed.records] == [True, False] * 2
