from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from relightflow.sources.file_index import FileIndex, Known

HOUR = 3600 * 10**9
KNOWN = Known("ab" * 32, 5, 8, 6, "image/png")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(b"12345")
    return path


def written(tmp_path: Path, file: Path, *, later: int) -> FileIndex:
    """An index that knows `file`, written `later` nanoseconds after the file was touched."""
    index = FileIndex.of(tmp_path / "cache", ["one"])
    index.load()
    index.add("a.png", file.lstat(), KNOWN)
    index.save()
    (path,) = (tmp_path / "cache").iterdir()
    when = file.lstat().st_ctime_ns + later
    os.utime(path, ns=(when, when))
    fresh = FileIndex.of(tmp_path / "cache", ["one"])
    fresh.load()
    return fresh


def test_an_untouched_file_is_known(tmp_path: Path, file: Path) -> None:
    assert written(tmp_path, file, later=HOUR).find("a.png", file.lstat()) == KNOWN


def test_a_file_touched_just_before_the_index_was_written_is_not_believed(
    tmp_path: Path, file: Path
) -> None:
    assert written(tmp_path, file, later=10**9).find("a.png", file.lstat()) is None


def test_other_bytes_with_the_old_size_and_time_are_noticed(tmp_path: Path, file: Path) -> None:
    index = written(tmp_path, file, later=HOUR)
    before = file.lstat()
    other = tmp_path / "other"
    other.write_bytes(b"54321")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(file)
    assert file.lstat().st_mtime_ns == before.st_mtime_ns
    assert index.find("a.png", file.lstat()) is None


def test_another_identity_has_another_index(tmp_path: Path, file: Path) -> None:
    written(tmp_path, file, later=HOUR)
    other = FileIndex.of(tmp_path / "cache", ["two"])
    other.load()
    assert other.find("a.png", file.lstat()) is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"version": 2, "files": {}}',
        b'{"version": 1}',
        b'{"version": 1, "files": {"a.png": [1]}}',
        b'{"version": 1, "files": {"a.png": [5, 0, 0, 1, "zz", 5, 8, 6, "image/png"]}}',
        b'{"version": 1, "files": {"a.png": [5, 0, 0, 1, 7, 5, 8, 6, "image/png"]}}',
        b'{"version": 1, "files": {"a.png": [5, 0, 0, 1, "' + b"ab" * 32 + b'", 5, 8, 6, "x"]}}',
        b"\xff" * 100,
        b"[" * 100_000,
    ],
)
def test_a_damaged_index_is_forgotten(tmp_path: Path, file: Path, content: bytes) -> None:
    written(tmp_path, file, later=HOUR)
    (path,) = (tmp_path / "cache").iterdir()
    path.write_bytes(content)
    index = FileIndex.of(tmp_path / "cache", ["one"])
    index.load()
    assert index.find("a.png", file.lstat()) is None


def test_an_index_that_says_nothing_new_is_not_written_again(tmp_path: Path, file: Path) -> None:
    index = written(tmp_path, file, later=HOUR)
    (path,) = (tmp_path / "cache").iterdir()
    before = path.lstat().st_ino
    index.find("a.png", file.lstat())
    index.save()
    assert path.lstat().st_ino == before


def test_files_that_are_gone_are_dropped(tmp_path: Path, file: Path) -> None:
    written(tmp_path, file, later=HOUR).save()
    (path,) = (tmp_path / "cache").iterdir()
    assert json.loads(path.read_bytes())["files"] == {}


def test_a_cache_that_cannot_be_written_is_no_failure(tmp_path: Path, file: Path) -> None:
    (tmp_path / "cache").write_bytes(b"a file where a folder should be")
    index = FileIndex.of(tmp_path / "cache", ["one"])
    index.load()
    index.add("a.png", file.lstat(), KNOWN)
    index.save()
    assert (tmp_path / "cache").is_file()
