"""What is made durable, and by which call."""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

import pytest

from relightflow.store import sync


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / str(number) for number in range(sync.FEW + 1)]
    for path in made:
        path.write_bytes(b"1")
    return made


def test_few_files_and_their_folders_are_synced_one_by_one(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda handle: synced.append(os.readlink(f"/proc/self/fd/{handle}"))
    )
    monkeypatch.setattr(sync, "_sync_file_system", lambda _: pytest.fail("a whole file system"))
    few = files[: sync.FEW]
    sync.make_durable(few, [files[0].parent])
    assert synced == [str(path) for path in (*few, files[0].parent)]


def test_a_file_that_is_gone_is_an_error(files: list[Path]) -> None:
    files[0].unlink()
    with pytest.raises(FileNotFoundError):
        sync.make_durable(files[:1], [files[0].parent])


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_is_told(
    files: list[Path], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fails(handle: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(sync, "_syncfs", None)
    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match=os.strerror(code)):
        sync.make_durable(files, [files[0].parent])


def test_all_is_synced_where_one_file_system_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(sync, "_syncfs", None)
    monkeypatch.setattr(os, "sync", lambda: called.append("sync"))
    sync.make_all_durable(tmp_path)
    assert called == ["sync"]


def test_many_files_are_synced_with_their_file_system_and_none_alone(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []

    def whole(folder: Path) -> bool:
        asked.append(folder)
        return True

    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("one by one"))
    monkeypatch.setattr(sync, "_syncfs", lambda _: 0)
    monkeypatch.setattr(sync, "_sync_file_system", whole)
    sync.make_durable(files, [files[0].parent])
    assert asked == [files[0].parent]


def test_where_syncfs_is_refused_each_file_is_synced(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(sync, "_sync_file_system", lambda folder: False)
    monkeypatch.setattr(os, "fsync", synced.append)
    sync.make_durable(files, [files[0].parent])
    assert len(synced) == len(files) + 1


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_write_error_of_the_file_system_is_no_success(
    files: list[Path], monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(_: int) -> int:
        ctypes.set_errno(code)
        return -1

    monkeypatch.setattr(sync, "_syncfs", fail)
    with pytest.raises(OSError, match=os.strerror(code)) as told:
        sync.make_durable(files, [files[0].parent])
    assert told.value.errno == code
