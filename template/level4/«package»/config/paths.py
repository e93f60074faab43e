"""Where a stage keeps what it writes: in one folder, which the environment names."""

import os
from pathlib import Path

STAGE = Path(os.environ.get("STAGE", "."))
DROP = STAGE / "drop"  # the upstream publishes here
DATA = STAGE / "data"  # what has been collected
APP = STAGE / "app"  # releases of the application
RUNS = STAGE / "runs"  # what a training works with, by run
SNAPSHOTS = STAGE / "snapshots"  # the repository of DVC, which names what it keeps
REMOTE = STAGE / "remote"  # the content of snapshots; in a company a bucket
FETCHED = STAGE / "serving"  # packages that the application has fetched, by digest
PREDICTION_LOG = STAGE / "predictions.db"
SEAL_KEY = STAGE / "seal.key"  # of the certificates
METRICS_STORE = STAGE / "metrics.db"
REPORTS = STAGE / "evidently"  # the workspace of Evidently, which shows a report for every day
ISSUES = STAGE / "issues"  # what only people can settle
KNOWN = STAGE / "surroundings.json"  # what was known of them on the last morning
SUBSCRIBERS = STAGE / "subscribers"  # what each of them has acknowledged
OUTBOX = STAGE / "outbox"  # notifications that have not been sent yet
