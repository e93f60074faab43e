"""Train a candidate and deliver it; an argument names what is different this time."""

import os
import signal
import subprocess
import sys
from functools import partial
from typing import Any

from . import module

acceptance, pipeline, tasks, training = map(
    module, ("delivery.acceptance", "delivery.pipeline", "delivery.tasks", "training.pipeline")
)
kill = partial(os.kill, os.getpid(), signal.SIGKILL)


def with_another_test(path: str) -> None:
    """Let the acceptance tests include this file."""
    acceptance.TESTS += (path,)


def with_approval() -> None:
    """Let a person decide on the release."""
    params = pipeline.read_params().model_copy(update={"approval": "manual"})
    pipeline.read_params = lambda: params


def killed_before_staging() -> None:
    """Die when the package is to be staged."""
    pipeline.promotion.stage = lambda _: kill()


def killed_after_the_release() -> None:
    """Die when the release is to be recorded."""
    promotion, record = pipeline.promotion, pipeline.history.record
    challenger = promotion.State.CHALLENGER
    promotion.history.record = lambda *moved: kill() if challenger in moved else record(*moved)


def while_the_code_is_released() -> None:
    """Start a release of the code while the candidate is on staging, and see that it waits."""
    certify = tasks.certify

    def released_meanwhile(*evidence: Any) -> Any:
        deploy = subprocess.Popen([sys.executable, "-m", os.environ["LEVEL"], "deploy"])
        try:
            deploy.wait(timeout=10)  # alone it takes about two
        except subprocess.TimeoutExpired:
            return certify(*evidence)
        sys.exit("the code was released while a candidate was on staging")

    tasks.certify = released_meanwhile


CHANGES = (
    with_another_test,
    with_approval,
    killed_before_staging,
    killed_after_the_release,
    while_the_code_is_released,
)

name, *arguments = sys.argv[1:]
{change.__name__: change for change in CHANGES}[name](*arguments)
print(pipeline.deliver(training.start_training("manual")))
