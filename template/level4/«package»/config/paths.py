"""Where a stage keeps what it writes: in one folder, which the environment names, or where else it says."""

import os
from pathlib import Path

STAGE = Path(os.environ.get("STAGE", "."))
DROP = STAGE / "drop"  # the upstream publishes here
DATA = STAGE / "data"  # what has been collected
APP = STAGE / "app"  # releases of the application
RUNS = STAGE / "runs"  # what a training works with, by run
SNAPSHOTS = STAGE / "snapshots"  # the repository of DVC, which names what it keeps
REMOTE = os.environ.get("SNAPSHOT_REMOTE", STAGE / "remote")  # the content of snapshots; or s3://bucket/path
FETCHED = STAGE / "serving"  # packages that the application has fetched, by digest
PREDICTION_LOG = os.environ.get("PREDICTION_LOG", STAGE / "predictions.db")  # or postgresql://...
SEAL_KEY = Path(os.environ.get("SEAL_KEY", STAGE / "seal.key"))  # of the certificates
METRICS_STORE = os.environ.get("METRICS_STORE", STAGE / "metrics.db")  # or postgresql://...
REPORTS = STAGE / "evidently"  # the workspace of Evidently, which shows a report for every day
ISSUES = STAGE / "issues"  # what only people can settle
KNOWN = STAGE / "surroundings.json"  # what was known of them on the last morning
SUBSCRIBERS = STAGE / "subscribers"  # what each of them has acknowledged
OUTBOX = STAGE / "outbox"  # notifications that have not been sent yet
BENTOS = STAGE / "bentoml"  # what BentoML keeps
CHECKS = STAGE / "checks"  # what daily checks on other machines report
FILES = os.environ.get("FILES_REMOTE", "")  # s3://bucket/path, where the work goes from machine to machine
