"""Collect the files that the upstream published, every day, without people."""

from pathlib import Path

from ..config.files import replacing
from ..errors import StageError
from .published import BadFileError, check_content, check_date, check_place


class NotCopiedError(StageError):
    """A file could not be copied, whatever is in it: the disk is full, or this user may not read or write."""


def collect(drop: Path, data: Path) -> list[Path]:
    """Copy every new or changed Parquet file from `drop` to the same place under `data`; return the copies.

    Safe to run again at any time: what is already there is left alone, and a copy appears whole or not at all.

    Raises:
        BadFileError: after everything else has been collected, naming each file that was not, the reason, and what
            to do about it.
    """
    copies, bad = [], []
    for source in sorted(drop.glob("*/*.parquet")):
        target = data / source.relative_to(drop)
        try:
            check_place(source)
            if not target.exists():
                check_date(source, [path.stem for path in target.parent.glob("*.parquet")])
            if _copy(source, target):
                copies.append(target)
        except NotCopiedError as error:
            bad.append(f"{source}: {error}: mend it here, the file may be fine")
        except Exception as error:
            bad.append(f"{source}: {error}: ask the upstream to publish it again")
    if bad:
        raise BadFileError(f"collected {len(copies)} files, but not these:\n  " + "\n  ".join(bad))
    return copies


def gone(drop: Path, data: Path) -> list[str]:
    """Return the collected files that are no longer published; they are kept, and used as before."""
    published, collected = (
        {str(path.relative_to(folder)) for path in folder.glob("*/*.parquet")} for folder in (drop, data)
    )
    return sorted(collected - published)


def _copy(source: Path, target: Path) -> bool:
    """Copy a file that is new or was published again with other content; tell whether it was."""
    try:
        content = source.read_bytes()
        if target.exists() and target.read_bytes() == content:
            return False
        with replacing(target) as part:
            part.write_bytes(content)
            check_content(part, source.parent.name)
    except OSError as error:
        raise NotCopiedError(f"cannot be copied to {target.parent}, {error.strerror or error}") from error
    return True
