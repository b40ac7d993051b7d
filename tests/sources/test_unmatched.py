from __future__ import annotations

from pathlib import Path

import pytest

from relightflow.sources.unmatched import unmatched


def told(
    folder: Path, *written: str, matched: tuple[int, ...] = (), excluded: tuple[int, ...] = ()
) -> list[str]:
    patterns = [tuple(one.split("/")) for one in written]
    return list(unmatched(str(folder), written, patterns, matched, excluded))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("photos/a.heic", "photos/b.HEIC", "photos/c.xmp", "photos/.hidden", "out/x.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def test_what_lies_where_a_pattern_looks_is_counted_by_kind(folder: Path) -> None:
    assert told(folder, "photos/*.jpg") == [
        "'photos/*.jpg' matches no file: 'photos' has the files HEIC 2, XMP 1"
    ]


def test_a_folder_that_is_not_there_is_told_with_the_nearest_one(folder: Path) -> None:
    (said,) = told(folder, "Photo/*.jpg")
    assert "there is no folder 'Photo'; " in said
    assert "has the folders out/, photos/ (did you mean 'photos'?)" in said


def test_of_one_folders_patterns_it_is_enough_that_one_finds_something(folder: Path) -> None:
    assert told(folder, "photos/*.jpg", "photos/*.heic", matched=(1,)) == []
    assert len(told(folder, "photos/*.jpg", "out/*.png", matched=(1,))) == 1


def test_patterns_of_one_folder_are_told_in_one_line(folder: Path) -> None:
    (said,) = told(folder, "photos/*.jpg", "photos/*.png", "photos/*.webp")
    assert said.startswith("'photos/*.jpg' (and 2 more of this folder) matches no file")


def test_what_exclude_takes_out_is_told_apart(folder: Path) -> None:
    assert told(folder, "photos/*", excluded=(0,)) == [
        "'photos/*' matches only what 'exclude' takes out"
    ]


def test_a_backslash_is_no_folder(folder: Path) -> None:
    (said,) = told(folder, "photos\\*.jpg")
    assert said.endswith("write '/' between folders, not '\\'")


def test_an_empty_folder_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert told(tmp_path, "photos/*.jpg") == ["'photos/*.jpg' matches no file: 'photos' is empty"]


def test_a_hostile_name_cannot_touch_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J\u202eb").mkdir()
    (said,) = told(tmp_path, "photos\x1b[2J/*.jpg")
    assert said.isprintable()
