"""The files of a stage where its work goes from machine to machine: from a bucket and back, one at a time.

Whoever works has them at hand, and takes back what has become of them; whoever waits for another one hands them
over. So one writes at a time, and what a killed one has written is in nobody's way. Without FILES_REMOTE there is
one machine, and nothing to do.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..config import paths
from ..config.database import Database, connect, is_server
from ..errors import StageError

KEPT = (
    paths.BENTOS,
    paths.CHECKS,
    paths.DATA,
    paths.ISSUES,
    paths.KNOWN,
    paths.OUTBOX,
    paths.REPORTS,
    paths.SNAPSHOTS,
)
# What DVC has in the remote, or makes again.
NOT_KEPT = "/snapshots/.dvc/cache/**", "/snapshots/.dvc/tmp/**", "/snapshots/*.parquet"
COMMITTED = paths.SNAPSHOTS / ".git/objects"
# In seconds: the server lets go of the lock of a machine that vanished, after half a minute and not after hours.
PATIENCE = "SET tcp_keepalives_idle = 15", "SET tcp_keepalives_interval = 5", "SET tcp_keepalives_count = 3"
FILES, POOL = 2, 3  # locks of the database


class FilesError(StageError):
    """The files cannot be brought, or not be taken back."""


def lock(number: int) -> Database:
    """Wait for a lock that one on all machines can have, and return who has it: until it is closed, or dies.

    Raises:
        FilesError: there is no database that all of them see.
    """
    if not is_server(paths.METRICS_STORE):
        raise FilesError("work goes from machine to machine only where METRICS_STORE is a server, which locks")
    holder = connect(paths.METRICS_STORE)
    for setting in PATIENCE:
        holder.execute(setting)
    holder.rows("SELECT pg_advisory_lock(?)", [number])
    return holder


class _Files:
    """The files, and the lock that goes with them."""

    def __init__(self, published_here: bool) -> None:
        self.published_here = published_here
        self.lock: Database | None = None

    def bring(self) -> None:
        """Wait until nobody else has the files, and bring them as they are in the bucket."""
        holder = lock(FILES)
        try:
            paths.STAGE.mkdir(parents=True, exist_ok=True)
            if _rclone("lsf", paths.FILES):  # at first the bucket is empty, and what is here is all there is
                _sync(paths.FILES, str(paths.STAGE), KEPT if self.published_here else (*KEPT, paths.DROP))
        except BaseException:
            holder.close()
            raise
        self.lock = holder

    def take_back(self) -> None:
        """Take the files back, and let others have them."""
        lock, self.lock = self.lock, None
        if lock is None:  # they were not brought, as when the database did not answer
            return
        try:
            if lock.is_lost():  # and somebody else may have worked since
                raise FilesError("the database was away: what was written meanwhile is not taken back")
            # What a commit is made of comes before the commit.
            _sync(str(paths.STAGE), paths.FILES, [COMMITTED])
            _sync(str(paths.STAGE), paths.FILES, (*KEPT, paths.DROP) if self.published_here else KEPT)
        finally:
            lock.close()


_at_hand: list[_Files] = []  # of this process: none, or one


@contextmanager
def at_hand(published_here: bool = True) -> Iterator[None]:
    """Have the files for as long as the block runs.

    Args:
        published_here: whether the upstream drops its files on this machine; else they are brought too.

    Raises:
        FilesError: they could not be brought, or not be taken back.
    """
    if not paths.FILES:
        yield
        return
    files = _Files(published_here)
    try:
        files.bring()
        _at_hand.append(files)
        yield
    finally:
        _at_hand.clear()
        files.take_back()


@contextmanager
def handed_over() -> Iterator[None]:
    """Let others have the files while the block runs, and then bring them with what has become of them."""
    if not _at_hand:
        yield
        return
    (files,) = _at_hand
    files.take_back()
    try:
        yield
    finally:
        files.bring()


def _sync(source: str, target: str, kept: Sequence[Path]) -> None:
    """Make some files of the target those of the source."""
    names = [f"/{path.relative_to(paths.STAGE)}" for path in kept]
    rules = [f"- {name}" for name in NOT_KEPT]
    rules += [f"+ {name}{under}" for name in names for under in ("", "/**")] + ["- *"]
    filters = [part for rule in rules for part in ("--filter", rule)]
    _rclone("sync", "--checksum", "--use-server-modtime", *filters, source, target)


def _rclone(*arguments: str) -> str:
    """Run rclone, which finds the bucket by the names that all clients of S3 know; return what it prints.

    Raises:
        FilesError: it failed.
    """
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    settings = {"ENV_AUTH": "true", "PROVIDER": "Other" if endpoint else "AWS", "ENDPOINT": endpoint}
    settings |= {"NO_CHECK_BUCKET": "true"}  # who may write to it may not make it
    done = subprocess.run(
        ["rclone", "--config", os.devnull, *(each.replace("s3://", ":s3:") for each in arguments)],
        env=os.environ | {f"RCLONE_S3_{name}": value for name, value in settings.items()},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise FilesError(f"`rclone {arguments[0]}` between {paths.STAGE} and {paths.FILES}: {done.stderr[-300:]}")
    return done.stdout
