from __future__ import annotations

import asyncio
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from relightflow.store import blobs
from relightflow.store.blobs import BlobStore
from relightflow.store.staged import Staged, stage


def _staged(root: Path, data: bytes = b"image") -> Staged:
    return stage(root, data, 1, 1, "image/png")


def _adopted(root: Path, *staged: Staged) -> list[str]:
    async def adopt() -> list[str]:
        return [await store.adopt(one, {"job": "a"}) for one in staged]

    store = BlobStore(root)
    try:
        return asyncio.run(adopt())
    finally:
        store.close()


def test_a_staged_file_becomes_a_blob(tmp_path: Path) -> None:
    (name,) = _adopted(tmp_path, _staged(tmp_path))
    assert name == sha256(b"image").hexdigest()
    assert blobs.read(tmp_path, name) == b"image"
    assert [entry["job"] for entry in blobs.index(tmp_path)] == ["a"]
    assert not list(tmp_path.glob("tmp-*"))


def test_what_was_staged_twice_is_one_blob_and_leaves_nothing(tmp_path: Path) -> None:
    _adopted(tmp_path, _staged(tmp_path), _staged(tmp_path))
    assert not list(tmp_path.glob("tmp-*"))


def test_only_a_whole_file_of_a_worker_s_own_name_is_there(tmp_path: Path) -> None:
    staged = _staged(tmp_path)
    assert staged.is_there(tmp_path)
    assert not replace(staged, size=4).is_there(tmp_path)
    assert not replace(staged, name="../out").is_there(tmp_path)
    (tmp_path / staged.name).rename(tmp_path / "elsewhere")
    (tmp_path / staged.name).symlink_to(tmp_path / "elsewhere")
    assert not staged.is_there(tmp_path)


def test_what_a_dead_run_left_is_swept(tmp_path: Path) -> None:
    _staged(tmp_path)
    blobs.sweep(tmp_path)
    assert not list(tmp_path.iterdir())
