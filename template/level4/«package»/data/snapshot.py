"""The training table as an immutable snapshot, so that the data a model was trained on can be restored.

Snapshots are commits in a repository of Git and DVC: `git log`, `dvc diff`, `dvc get` and `dvc pull` work on them.
"""

import hashlib
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow.parquet as pq
from dvc.repo import Repo
from dvc.scm import Git

from ..config import paths, problem
from ..config.files import replacing
from ..config.problem import ID, OUTCOME, TIME
from ..errors import StageError
from . import tables
from .corrections import corrected
from .rules import leave_out
from .tables import INSTANCES, OUTCOMES

TABLE = "table.parquet"


class SnapshotError(StageError):
    """There is no such snapshot."""


def load_table(data: Path) -> pd.DataFrame:
    """Join instances with their outcomes, in order of time; one without an outcome has no label."""
    instances, outcomes = (
        tables.read(sorted((data / kind).glob("*.parquet")), kinds)
        for kind, kinds in ((problem.ROWS, INSTANCES), (problem.OUTCOMES, OUTCOMES))
    )
    instances = corrected(instances, data)
    table = leave_out(instances, data).merge(outcomes, on=ID).dropna(subset=OUTCOME)
    return table.sort_values([TIME, ID], ignore_index=True)


def fingerprints(data: Path) -> dict[str, str]:
    """Return the SHA-256 of every collected file: what a table was made from."""
    files = sorted(data.glob("*/*.parquet"))
    return {f"{file.parent.name}/{file.name}": hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def save(table: Path, folder: Path, remote: Path | str) -> str:
    """Snapshot a table with DVC, push it to the remote, and return its MD5: the name of the snapshot and its tag.

    Args:
        table: the file to keep; it stays where it is.
        folder: the repository; made on the first call.
        remote: where snapshots are kept; a folder, or a bucket (`s3://...`).
    """
    repo = _repository(folder, remote)
    shutil.copyfile(table, folder / TABLE)
    (stage,) = repo.add(str(folder / TABLE))
    repo.push()
    md5 = str(stage.outs[0].hash_info.value)
    if repo.scm.is_dirty():
        repo.scm.commit(f"{pq.read_metadata(table).num_rows:,} instances", no_verify=True)
    if md5 not in repo.scm.list_tags():
        repo.scm.tag(md5)
    return md5


def restore(md5: str, folder: Path, remote: Path | str, target: Path) -> None:
    """Write exactly the bytes of a snapshot to `target`.

    Raises:
        SnapshotError: naming the cause: no snapshot of this name, a damaged one, or no room for it.
    """
    repo = _repository(folder, remote)
    _check_stored(md5, repo, remote)
    # From the remote, which was looked at: DVC believes a damaged file of its cache that nobody may write to.
    Path(repo.cache.local.oid_to_path(md5)).unlink(missing_ok=True)
    pointer = folder / f"{md5}.parquet.dvc"
    pointer.write_text(f"outs:\n- md5: {md5}\n  hash: md5\n  path: {md5}.parquet\n")
    try:
        repo.pull(str(pointer))
    except Exception as error:
        raise SnapshotError(f"the snapshot {md5} could not be written: {error}") from error
    finally:
        pointer.unlink()
    with replacing(target) as part:
        shutil.move(folder / f"{md5}.parquet", part)


def _check_stored(md5: str, repo: Repo, remote: Path | str) -> None:
    """Look at a snapshot before DVC does, which says the same about everything and removes a damaged one."""
    try:
        store = repo.cloud.get_remote_odb()
        stored = store.oid_to_path(md5)
        content = store.fs.cat_file(stored)
    except FileNotFoundError:
        raise SnapshotError(f"no snapshot {md5} in {remote}: take the name from a training run") from None
    except Exception as error:  # of the file system, or of whoever keeps the bucket
        raise SnapshotError(f"the remote {remote} cannot be read: {error}") from error
    if hashlib.md5(content).hexdigest() != md5:  # noqa: S324 - as DVC does
        raise SnapshotError(f"the snapshot {md5} is damaged: put back {stored} from a copy, or train again")


def table_of(run: str, md5: str) -> Path:
    """Return where the table of a run is; restore it from its snapshot if it is gone."""
    path = paths.RUNS / run / TABLE
    if not path.exists():
        restore(md5, paths.SNAPSHOTS, paths.REMOTE, path)
    return path


def _repository(folder: Path, remote: Path | str) -> Repo:
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=folder.parent) as part:  # a half-made one would never open again
            Git.init(part)
            repo = Repo.init(part)
            with repo.config.edit() as config:
                config["core"] |= {
                    "remote": "storage",
                    "autostage": True,
                    "analytics": False,
                    "check_update": False,
                }
                config["remote"]["storage"] = {"url": str(remote)}
            repo.scm.add_commit(repo.config.files["repo"], "Keep snapshots with DVC")
            Path(part).rename(folder)
    return Repo(str(folder))
