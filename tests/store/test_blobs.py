from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
import resource
import signal
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relightflow.errors import DamagedError, StorageError
from relightflow.store import blobs, sync
from relightflow.store.blobs import INDEX, BlobStore, MissingBlob


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "blobs"
    folder.mkdir()
    return folder


@pytest.fixture
def store(root: Path) -> Iterator[BlobStore]:
    store = BlobStore(root)
    yield store
    store.close()


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_what_was_put_is_read_back_by_its_hash(store: BlobStore, root: Path) -> None:
    assert await store.put(b"one", {"key": "k"}) == sha(b"one")
    assert blobs.read(root, sha(b"one")) == b"one"
    assert blobs.size_of(root, sha(b"one")) == 3
    assert stat.S_IMODE(blobs.path_of(root, sha(b"one")).stat().st_mode) == 0o600


async def test_many_at_once_and_the_same_twice(store: BlobStore, root: Path) -> None:
    data = [str(number % 40).encode() for number in range(100)]
    assert await asyncio.gather(*(store.put(d, {"n": d.decode()}) for d in data)) == [
        sha(d) for d in data
    ]
    assert len(names(root)) == 41  # and the index
    assert len(list(blobs.index(root))) == 100


async def test_what_was_put_just_now_is_at_hand_and_what_is_large_or_long_ago_is_not(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blobs._Recent, "LARGEST", 10)
    monkeypatch.setattr(blobs._Recent, "ALL", 25)
    data = [bytes([n]) * 10 for n in range(4)]
    for one in (*data, data[3], bytes(11)):
        await store.put(one, {})
    assert [store.recent(sha(one)) for one in data] == [None, None, data[2], data[3]]
    assert store.recent(sha(bytes(11))) is None
    await store.keep_aside(b"no image", {})
    assert store.recent(sha(b"no image")) is None


async def test_the_size_of_the_index_is_known_without_a_look_at_the_disk(root: Path) -> None:
    sizes = []
    for _ in range(2):  # the second goes on with the file of the first
        store = BlobStore(root)
        sizes.append(store.index_size)
        await store.put(b"one", {"key": "k"})
        store.note({"event": "INTENT"})
        sizes.append(store.index_size)
        assert store.index_size == (root / INDEX).stat().st_size
        store.close()
    assert sizes[0] == 0
    assert sizes[1] == sizes[2] < sizes[3]


def test_a_blob_that_is_not_there_is_missing(root: Path) -> None:
    with pytest.raises(MissingBlob, match="is missing"):
        blobs.read(root, sha(b"x"))
    assert blobs.size_of(root, sha(b"x")) == -1


async def test_a_flipped_bit_is_found_and_putting_again_mends_it(
    store: BlobStore, root: Path
) -> None:
    await store.put(b"sound", {})
    blobs.path_of(root, sha(b"sound")).write_bytes(b"soune")
    with pytest.raises(DamagedError, match="does not match"):
        blobs.read(root, sha(b"sound"))
    await store.put(b"sound", {})
    assert blobs.read(root, sha(b"sound")) == b"sound"


async def test_a_damaged_blob_is_put_aside_and_not_deleted(store: BlobStore, root: Path) -> None:
    await store.put(b"sound", {})
    blobs.path_of(root, sha(b"sound")).write_bytes(b"soune")
    blobs.put_aside(root, sha(b"sound"))
    assert blobs.size_of(root, sha(b"sound")) == -1
    assert (root / blobs.ASIDE / f"damaged-{sha(b'sound')}").read_bytes() == b"soune"


async def test_what_is_not_an_image_is_kept_aside(store: BlobStore, root: Path) -> None:
    await store.keep_aside(b"<html>", {"key": "k"})
    assert (root / blobs.ASIDE / sha(b"<html>")).read_bytes() == b"<html>"
    assert next(blobs.index(root))["aside"] is True


def test_a_line_torn_by_a_crash_swallows_no_other(root: Path) -> None:
    for data in (b"one", b"two"):
        store = BlobStore(root)
        asyncio.run(store.put(data, {}))
        store.close()
        with (root / INDEX).open("ab") as index:
            index.write(b'{"sha256": "half')
    assert [entry["sha256"] for entry in blobs.index(root)] == [sha(b"one"), sha(b"two")]


def test_lines_that_are_no_objects_are_passed_over(root: Path) -> None:
    (root / INDEX).write_bytes(b'\xff\xfe\n[1]\n"x"\n\n{"a": 1}\n')
    assert list(blobs.index(root)) == [{"a": 1}]


def test_files_of_a_killed_process_are_swept(store: BlobStore, root: Path) -> None:
    asyncio.run(store.put(b"one", {}))
    (root / "tmp-1-1").write_bytes(b"half")
    blobs.sweep(root)
    assert not list(root.glob("tmp-*"))
    assert blobs.read(root, sha(b"one")) == b"one"


async def test_data_and_names_and_index_are_synced_before_the_answer(
    store: BlobStore, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def watched(handle: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{handle}"))
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    key = await store.put(b"one", {})
    final = blobs.path_of(root, key)
    assert {str(final), str(final.parent), str(root / INDEX), str(root)} <= set(synced)


def test_what_is_free_is_synced_once_at_the_end(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(blobs, "make_durable", lambda files, folders: synced.append("each"))
    monkeypatch.setattr(blobs, "make_all_durable", lambda folder: synced.append("all"))
    store = BlobStore(root, durable=False)
    asyncio.run(store.put(b"one", {}))
    asyncio.run(store.put(b"two", {}))
    assert synced == []
    store.close()
    assert synced == ["all"]
    assert blobs.read(root, sha(b"two")) == b"two"


async def test_many_blobs_are_synced_with_their_file_system(
    store: BlobStore, monkeypatch: pytest.MonkeyPatch, root: Path
) -> None:
    seen: list[list[Path]] = []
    real = sync.make_durable

    def watched(files: Any, folders: Any) -> None:
        seen.append([Path(file) for file in files])
        assert all(path.exists() for path in seen[-1])
        real(files, folders)

    monkeypatch.setattr("relightflow.store.blobs.make_durable", watched)
    await asyncio.gather(*(store.put(str(n).encode(), {}) for n in range(30)))
    assert {path.name for files in seen for path in files} == {
        INDEX, *(sha(str(n).encode()) for n in range(30)),
    }  # fmt: skip


def _fail_at(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, place: int, code: int
) -> list[int]:
    """The `place`-th use of `os.name` fails, as a disk may fail."""
    calls = [0]
    real = getattr(os, name)

    def failing(*arguments: Any, **options: Any) -> Any:
        calls[0] += 1
        if calls[0] == place:
            raise OSError(code, os.strerror(code))
        return real(*arguments, **options)

    monkeypatch.setattr(module, name, failing)
    return calls


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("name", ["write", "open", "fsync"])
def test_a_disk_that_fails_at_any_step_is_told_and_leaves_nothing_half_written(
    root: Path, monkeypatch: pytest.MonkeyPatch, name: str, code: int
) -> None:
    place = 1
    while True:
        store = BlobStore(root)
        with monkeypatch.context() as patch:
            calls = _fail_at(patch, os, name, place, code)
            data = f"{name}-{code}-{place}".encode()
            try:
                asyncio.run(store.put(data, {"place": place}))
                failed = False
            except StorageError as error:
                failed = True
                said = str(error)
        if not failed:
            store.close()
            assert calls[0] < place  # every place has been tried
            break
        assert os.strerror(code) in said
        assert "collected, not bought again" in said
        assert not list(root.glob("tmp-*"))
        for path in root.glob("??/*"):
            assert sha(path.read_bytes()) == path.name
        assert asyncio.run(store.put(data, {"place": place})) == sha(data)  # the disk works again
        store.close()
        place += 1
    assert place > 1
    assert all({"sha256", "place"} <= set(entry) for entry in blobs.index(root))


def test_a_file_size_limit_is_a_full_disk(root: Path) -> None:
    """A real fault of the kernel: no file may grow beyond 100,000 bytes."""
    store = BlobStore(root)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(StorageError, match="could not be stored"):
            asyncio.run(store.put(b"x" * 200_000, {}))
        asyncio.run(store.put(b"small", {}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
        store.close()
    assert names(root) == sorted([f"{sha(b'small')[:2]}/{sha(b'small')}", INDEX])


def test_every_line_of_the_index_is_json_with_sorted_keys(root: Path) -> None:
    store = BlobStore(root)
    asyncio.run(store.put(b"one", {"zebra": 1, "ape": "ü\udcff"}))
    store.close()
    line = (root / INDEX).read_text(encoding="ascii")
    assert list(json.loads(line)) == sorted(json.loads(line))
