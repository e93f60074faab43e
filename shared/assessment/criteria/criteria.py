"""The criteria as data: what each states, who asks for it, and what a probe should find at each level."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ...base import StageError

HERE = Path(__file__).resolve().parent
FIELDS = {"id", "statement", "sources", "gigaom", "first", "expected"}
GIGAOM = ("strategy", "architecture", "modeling", "processes", "management")
# A source without a level, such as an article or a paper, is known by its name alone.
SOURCE = re.compile(
    r"MS-L[0-4]\.[PCRAHT]\*?|S003-L[0-4]|RM-L[0-4]|G-L[0-2]|AWS-(I|Rp|Rl|Sc)|MLOS-S[1-5]|"
    r"MLTS-[DMIW][1-7]|K-[PC]\d+|MM-\d+|AE|MO|CD4ML|HTD|CERT"
)


class Answer(StrEnum):
    """What a probe may answer; the last is for a cell that no probe has been written for."""

    PRESENT = "PRESENT"  # it happens, and nobody did anything
    MANUAL = "MANUAL"  # it happens when people do the steps that the level lists, and not without
    ABSENT = "ABSENT"  # it happens neither way, and the level itself works
    ERROR = "ERROR"  # the probe could not look; wrong everywhere
    UNPROBED = "UNPROBED"


LETTERS = {"P": Answer.PRESENT, "M": Answer.MANUAL, "A": Answer.ABSENT}


@dataclass(frozen=True)
class Criterion:
    """One sentence that is true of a level or not."""

    id: str
    statement: str
    sources: tuple[str, ...]
    gigaom: str
    first: int
    expected: tuple[Answer, ...]

    def of(self, model: str) -> list[str]:
        """Return the sources that belong to a model, such as `MS` or `G`."""
        return [source for source in self.sources if source.partition("-")[0] == model]


@cache
def read_criteria(path: Path = HERE / "criteria.yaml") -> dict[str, Criterion]:
    """Return the criteria by id, in the order of the file.

    Raises:
        StageError: the file cannot be read, or an entry is not whole; it is named.
    """
    try:
        entries = yaml.safe_load(path.read_text())
        criteria = [_criterion(entry) for entry in entries]
    except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
        raise StageError(
            f"{path.name} cannot be read ({error}): each entry has {', '.join(sorted(FIELDS))}"
        ) from error
    by_id = {criterion.id: criterion for criterion in criteria}
    if len(by_id) != len(criteria):
        raise StageError(f"{path.name} has the same id twice")
    return by_id


def _criterion(entry: dict[str, Any]) -> Criterion:
    name = entry.get("id")
    if set(entry) != FIELDS:
        raise StageError(f"{name}: has or lacks {', '.join(sorted(set(entry) ^ FIELDS))}")
    unknown = [str(source) for source in list(entry["sources"]) if not SOURCE.fullmatch(str(source))]
    if unknown:
        raise StageError(f"{name}: {unknown[0]} is no source that the head of the file explains")
    letters = str(entry["expected"]).split()
    if len(letters) != 5 or set(letters) - set(LETTERS):
        raise StageError(f"{name}: expected is five of {', '.join(LETTERS)}, one for each level")
    if entry["gigaom"] not in GIGAOM:
        raise StageError(f"{name}: gigaom is one of {', '.join(GIGAOM)}")
    return Criterion(
        id=str(name),
        statement=str(entry["statement"]),
        sources=tuple(map(str, entry["sources"])),
        gigaom=str(entry["gigaom"]),
        first=int(str(entry["first"])),
        expected=tuple(LETTERS[letter] for letter in letters),
    )
