"""What the orchestration prints of a run: which step failed; why, is said once, by whoever started the run."""

import logging

from ..errors import StageError

LOGGERS = "prefect.flow_runs", "prefect.task_runs"
FAILED = "Finished in state Failed"  # what follows repeats the reason, which the server keeps with the run
HOOKS = "Running hook", "Hook "


class Brief(logging.Filter):
    """Leaves out tracebacks of errors whose message says all, and what repeats it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Tell whether a record is printed; shorten one that repeats the reason of a failure."""
        if record.exc_info and isinstance(record.exc_info[1], StageError):
            return False
        if record.getMessage().startswith(FAILED):
            record.msg, record.args = FAILED, ()
        return not record.getMessage().startswith(HOOKS)


def print_briefly() -> None:
    """Let the runs of this process print no more than that."""
    for name in LOGGERS:
        if not any(isinstance(known, Brief) for known in logging.getLogger(name).filters):
            logging.getLogger(name).addFilter(Brief())
