"""Files appear whole or not at all, whoever else writes them."""

import os
from contextlib import suppress
from pathlib import Path

from ...config.files import replacing, write_text


def test_a_text_replaces_the_one_before(tmp_path: Path) -> None:
    for text in ("old", "new"):
        write_text(tmp_path / "deep" / "note.md", text)
    assert (tmp_path / "deep" / "note.md").read_text() == "new"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["note.md"]


def test_what_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    write_text(tmp_path / "note.md", "old")
    with suppress(OSError), replacing(tmp_path / "note.md") as part:
        part.write_text("ha")
        raise OSError("no space")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


def test_what_a_killed_writer_left_behind_is_removed_once_it_is_old(tmp_path: Path) -> None:
    for name in ("old", "young"):
        (tmp_path / f".note.md.{name}.part").write_text("ha")
    os.utime(tmp_path / ".note.md.old.part", (0, 0))
    write_text(tmp_path / "note.md", "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"note.md", ".note.md.young.part"}


def test_two_writers_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    with replacing(tmp_path / "note.md") as one, replacing(tmp_path / "note.md") as other:
        one.write_text("one")
        other.write_text("other")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["one"]
