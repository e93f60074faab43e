"""The owners in .github/CODEOWNERS: no pattern is left over, every file has one, and pipelines have two."""

import re

import pytest

from shared.base import git
from shared.levels.manifest import read_rooms

from .conftest import ROOT

LINES = (ROOT / ".github" / "CODEOWNERS").read_text().splitlines()
RULES = [(words[0], words[1:]) for words in map(str.split, LINES) if words and not words[0].startswith("#")]


def files(pattern: str = "*") -> list[str]:
    """Return the files that git knows and a pattern matches, as GitHub matches them."""
    glob = "**" if pattern == "*" else pattern.removeprefix("/") + ("**" if pattern.endswith("/") else "")
    return git(ROOT, "ls-files", "-z", "--", f":(glob){glob}").split("\0")[:-1]


OWNERS = {file: owners for pattern, owners in RULES for file in files(pattern)}


@pytest.mark.parametrize("pattern", [pattern for pattern, _ in RULES])
def test_every_pattern_matches_a_file(pattern: str) -> None:
    assert files(pattern)


def test_every_file_has_an_owner_and_every_owner_is_a_team() -> None:
    assert OWNERS.keys() == set(files())
    for owners in OWNERS.values():
        assert owners
        assert all(re.fullmatch(r"@mlops-levels/[a-z]+", owner) for owner in owners)


@pytest.mark.parametrize("room", read_rooms())
def test_a_room_and_its_tests_have_one_owner_and_pipelines_two(room: str) -> None:
    inside = {file: owners for file, owners in OWNERS.items() if re.match(rf"level\d_\w+/(tests/)?{room}/", file)}
    pipelines = {file for file in inside if file.endswith("/pipeline.py")}
    assert {len(inside[file]) for file in pipelines} <= {2}
    (owners,) = {tuple(owners) for file, owners in inside.items() if file not in pipelines}
    assert len(owners) == 1
