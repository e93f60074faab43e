"""Change source text: one way for faults, seeded defects, mutants and ablations."""

from dataclasses import dataclass
from pathlib import Path

from ..base import StageError


@dataclass(frozen=True)
class SourceChange:
    """Text that stands in the files of a pattern, and what is put in its place."""

    files: str  # relative to a folder, such as `serving/app.py` or `*/*.py`
    find: str
    put: str

    def apply(self, folder: Path) -> list[Path]:
        """Make the change in every file that has the text; return these files."""
        changed = []
        for path in sorted(folder.glob(self.files)):
            text = path.read_text() if path.is_file() else ""
            if self.find in text:
                path.write_text(text.replace(self.find, self.put))
                changed.append(path)
        return changed


def apply_all(folder: Path, *changes: SourceChange) -> list[Path]:
    """Make several changes; return the files that any of them changed.

    Raises:
        StageError: none of them has anything to change.
    """
    changed = sorted({path for change in changes for path in change.apply(folder)})
    if not changed:
        wanted = " or ".join(repr(change.find) for change in changes)
        raise StageError(f"no file in {folder} has {wanted}: nothing to change")
    return changed
