"""What is made durable, and by which call."""

from __future__ import annotations

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


def test_few_files_are_synced_one_by_one(
    files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "_sync_file_system", lambda _: pytest.fail("a whole file system"))
    sync.make_durable(files[: sync.FEW], [files[0].parent])


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
