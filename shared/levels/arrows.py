"""Who imports whom: every import of a package, held against the arrows that the manifest allows."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from .manifest import MANIFEST, TOP, Arrows

FREE = {"errors", "events"}  # what rooms raise and report may be imported everywhere
WIRES = {"daily", "__main__"}  # they bring the rooms together


@dataclass(frozen=True)
class Import:
    """One import, wherever it stands: an import inside a function is an arrow too."""

    module: str  # whose it is, as in `serving.app`
    line: int
    target: str  # `data.schema`, or the name of another package


@dataclass(frozen=True)
class Package:
    """The modules of a package and the arrows that are allowed between its rooms."""

    root: Path
    arrows: Arrows

    @cached_property
    def modules(self) -> dict[str, Path]:
        """Return the files by module; without tests, which may import what they test, and without templates."""
        left_out = {"tests", "overlay"}
        paths = (path for path in sorted(self.root.rglob("*.py")) if not left_out & set(path.parts))
        return {_dotted(path.relative_to(self.root)): path for path in paths}

    @cached_property
    def imports(self) -> list[Import]:
        """Return all imports, of the package's own modules and of others."""
        return [import_ for module in self.modules for import_ in self._imports_of(module)]

    @cached_property
    def inner(self) -> list[Import]:
        """Return the imports of the package's own modules."""
        return [arrow for arrow in self.imports if arrow.target in self.modules]

    def _imports_of(self, module: str) -> Iterator[Import]:
        path = self.modules[module]
        here = path.relative_to(self.root).parts[:-1]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                for name in node.names:
                    yield Import(module, node.lineno, name.name)
            elif isinstance(node, ast.ImportFrom):
                base = here[: len(here) - node.level + 1] if node.level else ()
                stem = ".".join([*base, *(node.module or "").split(".")]).strip(".")
                for name in node.names:
                    inside = f"{stem}.{name.name}".strip(".")
                    yield Import(module, node.lineno, inside if inside in self.modules and node.level else stem)

    def room(self, module: str) -> str:
        """Return the room of a module: the longest path that is one."""
        parts = module.split(".")
        for length in range(len(parts), 0, -1):
            if (room := "/".join(parts[:length])) in self.arrows:
                return room
        return TOP

    def used(self) -> set[tuple[str, str]]:
        """Return which room imports which other."""
        pairs = {(self.room(arrow.module), self.room(arrow.target)) for arrow in self.inner}
        return {(one, other) for one, other in pairs if one != other and TOP not in (one, other)}

    def problems(self) -> list[str]:
        """Return what is wrong with the imports, each with where it is."""
        below = {room: reach(self.arrows, room) for room in self.arrows}
        problems = [
            f"{self.root.name}/{path.relative_to(self.root)} stands in no room: move it, or add one to {MANIFEST}"
            for module, path in self.modules.items()
            if self.room(module) == TOP and module not in WIRES | FREE | {""}
        ]
        for arrow in self.inner:
            one, other = self.room(arrow.module), self.room(arrow.target)
            if one not in (other, TOP) and arrow.target not in FREE | {""} and other not in below[one]:
                problems.append(
                    f"{self._place(arrow)} imports {arrow.target}, but `{one}` may import "
                    f"{', '.join(sorted(below[one])) or 'no other room'}"
                )
        return problems + [
            f"{self.root.name}: {' and '.join(circle)} import each other" for circle in self.circles()
        ]

    def circles(self) -> list[list[str]]:
        """Return the modules that import each other, directly or by a detour."""
        targets: Arrows = {module: [] for module in self.modules}
        for arrow in self.inner:
            targets[arrow.module].append(arrow.target)
        behind = {module: reach(targets, module) for module in targets}
        rings = {
            tuple(sorted(other for other in behind[module] if module in behind[other]))
            for module in targets
            if module in behind[module]
        }
        return [list(ring) for ring in sorted(rings)]

    def _place(self, arrow: Import) -> str:
        return f"{self.root.name}/{self.modules[arrow.module].relative_to(self.root)}, line {arrow.line},"

    def foreign(self, start: str, installed: set[str]) -> list[str]:
        """Return the imports of what is not installed, by a module and by all that it imports."""
        inner: Arrows = {module: [] for module in self.modules}
        for arrow in self.inner:
            inner[arrow.module].append(arrow.target)
        loaded = {start} | reach(inner, start)
        return [
            f"{self._place(arrow)} imports {arrow.target}"
            for arrow in self.imports
            if arrow.module in loaded
            and arrow.target not in self.modules
            and arrow.target.partition(".")[0] not in installed | sys.stdlib_module_names
        ]


def reach(arrows: Arrows, start: str) -> set[str]:
    """Return all that can be reached from a start along arrows; the start itself only by a circle."""
    reached: set[str] = set()
    ahead = list(arrows.get(start, []))
    while ahead:
        if (room := ahead.pop()) not in reached:
            reached.add(room)
            ahead += arrows.get(room, [])
    return reached


def _dotted(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
