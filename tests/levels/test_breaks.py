"""What a chapter breaks: the edit can be made, and the tests that the chapter names notice it, and no others."""

from pathlib import Path

import pytest

from shared.base import levels
from shared.levels import working_copy
from shared.levels.breaks import Break, read_breaks

from ..conftest import ROOT, first_of_each

BREAKS = list(read_breaks().values())
STEPS = [this.step for this in BREAKS]


def test_every_chapter_breaks_one_thing() -> None:
    chapters = [path for path in (ROOT / "docs/lessons").glob("*/*.md") if "{break}" in path.read_text()]
    named = sorted((path.parent.name, path.stem) for path in chapters)
    assert named == sorted((each.step, each.chapter) for each in BREAKS)


@pytest.mark.slow
@pytest.mark.parametrize("this", first_of_each(BREAKS, STEPS), ids=lambda this: f"{this.step} {this.chapter}")
def test_the_tests_that_a_chapter_names_notice_what_it_breaks(this: Break, tmp_path: Path) -> None:
    package = working_copy.make(levels()[int(this.step[-1])], tmp_path / "copy")
    this.edit.make(package)
    assert {failure.test for failure in working_copy.failures(package, this.tests)} == set(this.notices)
