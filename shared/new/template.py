"""The template of a project of one's own: the source of a level, with the problem taken out of it.

`rules.yaml` says what is replaced, `overlay/` holds the files that are written for any problem. What the rules no
longer find in the level is an error, so that the template cannot fall behind the levels.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..base import ROOT, StageError, levels
from . import lock

HERE = Path(__file__).parent
TEMPLATE = ROOT / "template"
OVERLAY = HERE / "overlay"
PACKAGE = "«package»"  # the folder of the package, named when a project is made
BINARY, REGRESSION, END = '«% if kind == "binary" %»\n', "«% else %»\n", "«% endif %»\n"


class StaleRulesError(StageError):
    """A rule does not find in the level what it is to replace."""


@dataclass(frozen=True)
class Change:
    """A text of a level that reads differently for any problem, or for a regression only."""

    file: str
    find: str
    put: str | None = None  # in every project
    regression: str | None = None  # in those that predict a number
    levels: tuple[int, ...] = ()  # empty: all that have the file

    def apply(self, text: str) -> str:
        """Return the text with the change made.

        Raises:
            StaleRulesError: what it replaces is not there, or is there more than once.
        """
        if (count := text.count(self.find)) != 1:
            raise StaleRulesError(f"{self.file} holds {count} times what a rule replaces: {self.find[:80]!r}")
        put = self.find if self.put is None else self.put
        if self.regression is None:
            return text.replace(self.find, put)
        start = text.rfind("\n", 0, text.index(self.find)) + 1
        end = text.find("\n", text.index(self.find) + len(self.find.rstrip("\n"))) + 1
        lines = text[start:end]
        binary, regression = lines.replace(self.find, put), lines.replace(self.find, self.regression)
        return f"{text[:start]}{BINARY}{binary}{REGRESSION}{regression}{END}{text[end:]}"


def files(number: int) -> dict[str, str]:
    """Return the template of a level: by path in the new repository, the content.

    Raises:
        StaleRulesError: the rules do not fit the level any more.
    """
    rules = yaml.safe_load((HERE / "rules.yaml").read_text())
    changes = [Change(**{**entry, "levels": tuple(entry.get("levels", ()))}) for entry in rules["changes"]]
    words = [(re.compile(pattern), word) for pattern, word in rules["words"].items()]
    made, stale = {}, []
    for path in _source(number, rules["drop"]):
        text, name = (ROOT / levels()[number] / path).read_text(), _renamed(path, words)
        if only := rules["binary_only"].get(path):
            text = _for_binary(text, only)
        elif path in rules["binary_only"]:
            name = f"{Path(name).parent}/{BINARY.strip()}{Path(name).name}{END.strip()}".replace('"', "'")
        for change in changes:
            if change.file == path and number in (change.levels or (number,)):
                try:
                    text = change.apply(text)
                except StaleRulesError as error:
                    stale.append(str(error))
        made[f"{PACKAGE}/{name}"] = _renamed(text, words)
    if stale:
        raise StaleRulesError(
            f"shared/new/rules.yaml does not fit level {number} any more:\n  " + "\n  ".join(stale)
        )
    made |= {f"{PACKAGE}/{path}": text for path, text in _overlay("package", number)}
    made |= dict(_overlay("root", number))
    made["requirements.lock"] = lock.of_level(number)
    return made


def _source(number: int, dropped: list[str]) -> Iterator[str]:
    """Yield the files of a level that a project of any problem has too."""
    folder = ROOT / levels()[number]
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        name = str(path.relative_to(folder))
        if not any(re.fullmatch(pattern, name) for pattern in dropped):
            yield name


def _overlay(part: str, number: int) -> Iterator[tuple[str, str]]:
    """Yield the files that are written for any problem, as far as the level has their place."""
    for path in sorted((OVERLAY / part).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            name, text = str(path.relative_to(OVERLAY / part)), path.read_text()
            mark = re.match(r"«# (from|only) level (\d) #»\n", text)
            if mark is None or number == int(mark[2]) or (mark[1] == "from" and number > int(mark[2])):
                yield name, text[mark.end() :] if mark else text


def _for_binary(text: str, names: list[str]) -> str:
    """Return the text of a module in which these functions are left out of a regression."""
    lines = text.splitlines(keepends=True)
    functions = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
    names = [name for name in names if name in functions]
    for function in sorted((functions[name] for name in names), key=lambda node: -node.lineno):
        first = min([function.lineno, *(decorator.lineno for decorator in function.decorator_list)]) - 1
        assert function.end_lineno is not None  # noqa: S101 - it was parsed from text
        lines[function.end_lineno : function.end_lineno] = [END]
        lines[first:first] = [BINARY]
    return "".join(lines)


def _renamed(text: str, words: list[tuple[re.Pattern[str], Any]]) -> str:
    for pattern, word in words:
        text = pattern.sub(word, text)
    return text


def write() -> list[str]:
    """Write the template of every level again; return the files that have changed."""
    changed = []
    for number in [number for number in levels() if number]:
        folder = TEMPLATE / f"level{number}"
        wanted = {folder / path: text for path, text in files(number).items()}
        for path in [path for path in folder.rglob("*") if path.is_file() and path not in wanted]:
            path.unlink()
            changed.append(str(path))
        for path, text in wanted.items():
            if not path.exists() or path.read_text() != text:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                changed.append(str(path))
    return changed
