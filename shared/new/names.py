"""What columns may be called: a table under clean names, which knows what they were called before."""

import difflib
import keyword
import re
import unicodedata
from dataclasses import dataclass

import pandas as pd

from .table import TableError

# A field of one of these names would hide something else.
RESERVED = {
    *keyword.kwlist,
    *("construct", "copy", "dict", "from_orm", "json", "parse_file", "parse_obj", "parse_raw"),  # of pydantic
    *("schema", "schema_json", "update_forward_refs", "validate"),
    *("bool", "datetime", "float", "int", "str"),  # types of a schema
    *("day", "arm", "others", "experiment", "inputs", "label", "prediction", "served_at"),  # of logged predictions
    *("asked_at", "calibration", "intercept", "repaired"),
}
MAX_LENGTH = 60
NAMELESS = re.compile(r"\s*|Unnamed: \d+|__index_level_\d+__")  # the index of a table that was written along


@dataclass(frozen=True)
class Named:
    """A table under clean names."""

    frame: pd.DataFrame
    own: dict[str, str]  # by clean name, what a column was called
    notes: list[str]  # what was guessed and left out, in words

    def find(self, what: str, asked: str) -> str:
        """Return the clean name of a column that was asked for by either of its names.

        Raises:
            TableError: there is none; it names those that come close.
        """
        for name, own in self.own.items():
            if asked in (name, own):
                return name
        names = list(self.own.values())
        close = difflib.get_close_matches(asked, names, cutoff=0.5) or names[:10]
        raise TableError(f"{what}={asked} is no column of the table: did you mean {' or '.join(close)}?")

    def free(self, name: str) -> str:
        """Return a name that no column has."""
        while name in self.own:
            name = f"row_{name}"
        return name

    def leave_out(self, name: str, why: str) -> None:
        """Note that a column is left out."""
        self.notes.append(f"left out: {self.own[name]} ({why})")


def clean(name: str) -> str:
    """Return a name as a lower snake-case identifier; empty if no letter or digit is left of it."""
    plain = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", plain)
    word = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")[:MAX_LENGTH].rstrip("_")
    if word[:1].isdigit():
        return f"n_{word}"
    if word == "model" or word.startswith("model_"):  # pydantic keeps these for itself
        return f"own_{word}"
    if word == "id":  # by which the predictions of the log are numbered
        return "row_id"
    return f"{word}_" if word in RESERVED else word


def with_clean_names(table: pd.DataFrame) -> Named:
    """Return a table under clean names, without the columns that have no name.

    Raises:
        TableError: two columns would be called the same.
    """
    owns: dict[str, str] = {}
    notes: list[str] = []
    table = table.set_axis([str(name) for name in table.columns], axis=1)
    for position, own in enumerate(table.columns, start=1):
        if NAMELESS.fullmatch(own):
            notes.append(f"left out: column {position}, which has no name")
            continue
        name = clean(own) or f"column_{position}"
        if name in owns:
            raise TableError(f"`{owns[name]}` and `{own}` would both be called {name}: rename one")
        if name != own:
            notes.append(f"renamed: `{own}` is {name}")
        owns[name] = own
    frame = table[list(owns.values())].set_axis(list(owns), axis=1).reset_index(drop=True)
    return Named(frame, owns, notes)
