"""The blob store: result bytes by their sha256, durable before anybody hears of them.

Beside the blobs, `index.jsonl` says for each what it is (job key, request, cost), so that a lost
ledger can be made again without buying anything again. A line is written before its blob counts as
stored, so the index never knows less than the ledger.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from relightflow.core import failpoints
from relightflow.core.digest import sha256_of
from relightflow.core.group_commit import COMMIT_DELAY, GroupCommit
from relightflow.core.redact import known, known_bytes
from relightflow.errors import DamagedError, StorageError
from relightflow.model.values import canonical_json
from relightflow.store.staged import Staged
from relightflow.store.sync import make_all_durable, make_durable

INDEX = "index.jsonl"
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME = re.compile(r"[0-9a-f]{64}", re.ASCII)
ASIDE = "aside"
"""Folder for bytes that were paid for and are no image."""


class MissingBlob(DamagedError):
    """The ledger relies on a blob that is not there."""


class _Blob(NamedTuple):
    data: bytes | Staged
    label: Mapping[str, Any]
    aside: bool


class _Recent:
    """The bytes that were stored last, for whoever delivers them. One thread puts, others get."""

    LARGEST, ALL = 2 << 20, 16 << 20
    """Bytes of one and of all that are kept."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}
        self._size = 0

    def put(self, sha256: str, data: bytes) -> None:
        if len(data) > self.LARGEST or sha256 in self._kept:
            return
        self._kept[sha256] = data
        self._size += len(data)
        while self._size > self.ALL:
            self._size -= len(self._kept.pop(next(iter(self._kept))))

    def get(self, sha256: str) -> bytes | None:
        return self._kept.get(sha256)


class BlobStore:
    """Opened by the one process that writes; reading needs no instance (`read`, `path_of`)."""

    def __init__(self, root: Path, *, durable: bool = True) -> None:
        """`durable`: False where a power cut may take back what was last put, which costs nothing to
        make again; all of it is durable once the store is closed."""
        self._root = root
        self._durable = durable
        self._folders: set[str] = set()
        self._serial = 0
        self._index = -1
        self._index_size = _size(root / INDEX)
        self._appending = threading.Lock()
        self._recent = _Recent()
        self._batcher: GroupCommit[_Blob, str] = GroupCommit(
            self._store, "blobs", largest=128, linger=COMMIT_DELAY, only_when_busy=True
        )

    def close(self) -> None:
        self._batcher.close()
        if not self._durable and self._folders:
            with suppress(OSError):
                make_all_durable(self._root)
        if self._index >= 0:
            os.close(self._index)

    async def put(self, data: bytes, label: Mapping[str, Any]) -> str:
        """Store `data` and give its sha256, once durable. `label` goes into the index.

        Raises StorageError where the disk refuses.
        """
        return await self._batcher.ask(_Blob(data, label, aside=False))

    def recent(self, sha256: str) -> bytes | None:
        """The bytes of a blob that was put just now, without the way over the disk; None: read it."""
        return self._recent.get(sha256)

    async def adopt(self, staged: Staged, label: Mapping[str, Any]) -> str:
        """As `put`, for a file that a worker has put into the store's folder. Its bytes are held against
        their sha256 whenever they are read. Raises StorageError."""
        return await self._batcher.ask(_Blob(staged, label, aside=False))

    def note(self, entry: Mapping[str, Any]) -> None:
        """Add a line to the index about a call under way. It outlives this process once this returns,
        and a power cut from the next stored blob on. Raises StorageError where the disk refuses."""
        try:
            self._append(canonical_json(entry) + "\n")
        except OSError as error:
            raise StorageError(
                f"the index of {self._root} could not be written ({error.strerror}). Free some "
                "space, then run again"
            ) from error

    @property
    def index_size(self) -> int:
        """Bytes of the index by now, between two lines."""
        return self._index_size

    async def keep_aside(self, data: bytes, label: Mapping[str, Any]) -> str:
        """Keep bytes that were paid for and are no image, for a person to look at."""
        return await self._batcher.ask(_Blob(known_bytes(data), label, aside=True))

    def _store(self, blobs: Sequence[_Blob]) -> Sequence[str]:
        try:
            return self._store_durably(blobs)
        except OSError as error:
            raise StorageError(
                f"a result could not be stored in {self._root} ({error.strerror}). "
                "Free some space, then run again: what was paid for is collected, not bought again"
            ) from error

    def _store_durably(self, blobs: Sequence[_Blob]) -> Sequence[str]:
        written: list[tuple[str, str]] = []
        try:
            return self._put_all(blobs, written)
        except OSError:
            for temporary, _ in written:  # on a full disk nothing may lie about for nothing
                Path(temporary).unlink(missing_ok=True)
            raise

    def _put_all(self, blobs: Sequence[_Blob], written: list[tuple[str, str]]) -> list[str]:
        """`written` is told each temporary file and its final name."""
        hashes = [_sha256_of(blob.data) for blob in blobs]
        lines = []
        for blob, sha256 in zip(blobs, hashes, strict=True):
            final = self._place(sha256, blob.aside)
            if not _holds(final, sha256):
                written.append((self._temporary(blob.data), final))
            elif isinstance(blob.data, Staged):
                Path(self._temporary(blob.data)).unlink(missing_ok=True)
            entry = {"sha256": sha256, "aside": blob.aside, **blob.label}
            lines.append(canonical_json(entry) + "\n")
        failpoints.reach("blob-written")
        _move_all(self._root, written)
        failpoints.reach("blob-renamed")
        self._append("".join(lines))
        if self._durable:
            finals = [final for _, final in written]
            folders = [str(self._root), *dict.fromkeys(map(os.path.dirname, finals))]
            make_durable([*finals, f"{self._root}/{INDEX}"], folders)
        failpoints.reach("blob-durable")
        for blob, sha256 in zip(blobs, hashes, strict=True):
            if not blob.aside and isinstance(blob.data, bytes):
                self._recent.put(sha256, blob.data)
        return hashes

    def _place(self, sha256: str, aside: bool) -> str:
        name = ASIDE if aside else sha256[:2]
        if name not in self._folders:
            (self._root / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folders.add(name)
        return f"{self._root}/{name}/{sha256}"

    def _temporary(self, data: bytes | Staged) -> str:
        """The temporary file of the store with these bytes."""
        return f"{self._root}/{data.name}" if isinstance(data, Staged) else self._write(data)

    def _write(self, data: bytes) -> str:
        """The bytes in a new temporary file."""
        self._serial += 1
        path = f"{self._root}/tmp-{os.getpid()}-{self._serial}"  # noqa: S108  the store's own
        handle = os.open(path, _NEW, 0o600)
        try:
            _write_all(handle, data)
        except OSError:
            Path(path).unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)
        return path

    def _append(self, lines: str) -> None:
        with self._appending:
            self._append_alone(lines)

    def _append_alone(self, lines: str) -> None:
        if self._index < 0:
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            self._index = os.open(self._root / INDEX, flags, 0o600)
            size = self._index_size = os.fstat(self._index).st_size
            if size and os.pread(self._index, 1, size - 1) != b"\n":
                lines = "\n" + lines  # a line torn by a crash must not swallow the next one
        data = known(lines).encode("ascii")
        try:
            _write_all(self._index, data)
        except OSError:
            os.close(self._index)  # perhaps torn: the next one looks again how the file ends
            self._index = -1
            raise
        self._index_size += len(data)


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _sha256_of(data: bytes | Staged) -> str:
    return data.sha256 if isinstance(data, Staged) else sha256_of(data)


def is_name(sha256: object) -> bool:
    """Whether a blob can be called so: what a ledger, an index or a shared store says may be anything,
    a way to another folder too."""
    return isinstance(sha256, str) and _NAME.fullmatch(sha256) is not None


def path_of(root: Path, sha256: str) -> Path:
    """Where the blob `sha256` is. Raises MissingBlob where no blob can be called so."""
    if not is_name(sha256):
        raise MissingBlob(f"no blob in {root} can be called {ascii(sha256)[:40]}")
    return root / sha256[:2] / sha256


def _path(root: Path, sha256: str) -> str:
    """As `path_of`, without the cost of a Path."""
    if not is_name(sha256):
        path_of(root, sha256)
    return f"{root}/{sha256[:2]}/{sha256}"


def read(root: Path, sha256: str) -> bytes:
    """The bytes of a blob, checked. Raises MissingBlob, or DamagedError where a bit has flipped."""
    try:
        handle = _open_handle(_path(root, sha256))
        try:
            data = _read_all(handle)
        finally:
            os.close(handle)
    except (FileNotFoundError, _NoBlobFile):
        raise MissingBlob(f"blob {sha256[:16]} is missing from {root}") from None
    except OSError as error:
        raise StorageError(f"blob {sha256[:16]} cannot be read: {error.strerror}") from error
    if sha256_of(data) != sha256:
        raise DamagedError(f"blob {sha256[:16]} in {root} does not match its hash")
    return data


def put_aside(root: Path, sha256: str) -> None:
    """Move a blob that does not match its hash out of the way; nothing is deleted."""
    (root / ASIDE).mkdir(mode=0o700, exist_ok=True)
    _move(str(path_of(root, sha256)), f"{root}/{ASIDE}/damaged-{sha256}")


def size_of(root: Path | str, sha256: str) -> int:
    """Bytes of a blob as the file system tells them; -1 where it is missing. `root` as a text is quicker."""
    if not _NAME.fullmatch(sha256):
        return -1
    try:
        facts = os.lstat(f"{root}/{sha256[:2]}/{sha256}")
    except OSError:
        return -1
    return facts.st_size if stat.S_ISREG(facts.st_mode) else -1


def index(root: Path) -> Iterator[dict[str, Any]]:
    """What the index says, oldest first; lines torn by a crash are passed over."""
    try:
        lines = _open(root / INDEX)
    except (FileNotFoundError, _NoBlobFile):
        return
    with lines:
        for line in lines:
            try:
                entry = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(entry, dict):
                yield entry


def sweep(root: Path) -> None:
    """Remove temporary files that a killed process left behind. Call it while holding the lock."""
    for path in root.glob("tmp-*"):
        path.unlink(missing_ok=True)


def _holds(path: str, sha256: str) -> bool:
    """Raises OSError where the file cannot be opened; one that cannot be read is written again."""
    if not os.access(path, os.F_OK):  # nearly always, and quicker than an exception
        return False
    try:
        blob = _open(path)
    except (FileNotFoundError, _NoBlobFile):
        return False
    with blob:
        try:
            return hashlib.sha256(blob.read()).hexdigest() == sha256
        except OSError:
            return False


class _NoBlobFile(Exception):
    """A link, a folder, a pipe: no blob of ours."""


def _open(path: str | Path) -> BinaryIO:
    """The regular file at `path`. Raises _NoFile for anything else, and OSError."""
    return os.fdopen(_open_handle(path), "rb")


def _open_handle(path: str | Path) -> int:
    try:
        handle = os.open(path, _READ)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _NoBlobFile from None
        raise
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _NoBlobFile
    return handle


def _read_all(handle: int) -> bytes:
    """What is in an open file. Most are read at once, and a second time to see that it was all."""
    pieces = [os.read(handle, os.fstat(handle).st_size + 1)]
    while pieces[-1]:
        pieces.append(os.read(handle, 1 << 20))
    return pieces[0] if len(pieces) == 2 else b"".join(pieces)


def _move(source: str, target: str) -> None:
    """Rename within the store; folders that are links are not gone through. Raises OSError."""
    here, old = os.path.split(source)
    _move_all(Path(here), [(old, target)])


def _move_all(here: Path, moves: Sequence[tuple[str, str]]) -> None:
    """The same for many files of one folder: temporary name, absolute final name."""
    begin = os.open(here, _FOLDER)
    try:
        for old, target in moves:
            there, new = target.rsplit("/", 1)
            end = os.open(there, _FOLDER)
            try:
                os.rename(old.rsplit("/", 1)[-1], new, src_dir_fd=begin, dst_dir_fd=end)
            finally:
                os.close(end)
    finally:
        os.close(begin)


def _write_all(handle: int, data: bytes) -> None:
    written = os.write(handle, data)
    while written < len(data):
        written += os.write(handle, memoryview(data)[written:])
