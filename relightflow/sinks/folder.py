"""What sinks on this machine share: where they may write, and what is there already."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from relightflow.core.project import climb
from relightflow.errors import RefusedError
from relightflow.plugins.sink import FileState, FinishedRun, SinkFailed, WriteReceipt
from relightflow.sinks.owned import ENDS, Mark
from relightflow.sinks.places import check_place
from relightflow.store.atomic import opened_folder, parts_of, write_atomic

_CHUNK = 1 << 20
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC


class Folder:
    """A folder in the recipe's project, written to without ever following a link in it."""

    def __init__(
        self, recipe_folder: Path, path: str, place: Callable[[str], Path] | None = None
    ) -> None:
        """`place`: where a path leads that climbs (`..`); None: nowhere. Raises RefusedError where `path`
        leads out of the project: a recipe may be a stranger's."""
        climbs = ".." in path.split("/")
        if path.startswith("/") or "\0" in path or (climbs and place is None):
            raise RefusedError(
                f"a sink cannot write to {path!r}: its path must be inside the recipe's project"
            )
        if climbs and place is not None:
            place(path)  # or it is refused
        ups, names = climb(path)
        real = Path(os.path.realpath(recipe_folder))
        self._root = real.parents[ups - 1] if ups else recipe_folder.absolute()
        self._under = "".join(name + "/" for name in names)
        self._prefix = f"{self._root}/{self._under}"
        self.location = str(self._root / self._under)
        """The absolute path, for people and as the sink's identity."""
        check_place(self._root, self._under.rstrip("/"))
        self._checked: set[str] = set()

    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        """As `Sink.look`; an untouched file is recognised by its size, time and inode alone."""
        try:
            facts = os.lstat(self._prefix + path)
        except (FileNotFoundError, NotADirectoryError):
            return FileState.MISSING
        if (
            known is not None
            and (known.size, known.mark, known.sha256) == (facts.st_size, mark(facts), sha256)
            and stat.S_ISREG(facts.st_mode)
        ):
            return FileState.SAME
        found = self.digest(path)
        if found is None:
            return FileState.MISSING
        return FileState.SAME if found == sha256 else FileState.EDITED

    def holds(self, path: str) -> bool:
        """Whether something stands at `path`."""
        return os.path.lexists(self._prefix + path)

    def digest(self, path: str) -> str | None:
        """sha256 of what stands at `path`; empty where that is no file, None where it is nothing."""
        try:
            file = self.opened(path)
        except NoFile:
            return ""
        if file is None:
            return None
        with file:
            return _sha256(file)

    def read(self, path: str, most: int = -1) -> bytes | None:
        """The bytes at `path`, at most one more than `most`; None where there is no file."""
        try:
            file = self.opened(path)
        except NoFile:
            return None
        if file is None:
            return None
        with file:
            return file.read(most + 1 if most >= 0 else -1)

    def opened(self, path: str) -> BinaryIO | None:
        """The file at `path`; None where there is nothing. Raises NoFile for a folder, a pipe ….

        An empty file is nothing too: it is what a power cut can leave of a write, and nobody's work.
        Raises RefusedError where a link is in the way.
        """
        *folders, name = parts_of(self._under + path)
        try:
            with opened_folder(self._root, folders) as folder:
                facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
                if stat.S_ISLNK(facts.st_mode):
                    raise RefusedError(f"refused the symbolic link at {self._prefix + path!r}")
                if not stat.S_ISREG(facts.st_mode):
                    raise NoFile
                return (
                    os.fdopen(os.open(name, _READ, dir_fd=folder), "rb") if facts.st_size else None
                )
        except FileNotFoundError:
            return None

    def write(self, path: str, data: bytes | Iterable[bytes], sha256: str) -> WriteReceipt:
        """Put `data` at `path`, whole or not at all. Not forced to the disk: it can be made again."""
        self._check_folder(path)
        facts = write_atomic(self._root, self._under + path, data, durable=False)
        return WriteReceipt(sha256, facts.st_size, mark(facts))

    def stream(self, path: str, pieces: Iterable[bytes]) -> WriteReceipt:
        """Like `write`, for what is not known before it has gone by."""
        digest = hashlib.sha256()

        def passing() -> Iterator[bytes]:
            for piece in pieces:
                digest.update(piece)
                yield piece

        self._check_folder(path)
        facts = write_atomic(self._root, self._under + path, passing(), durable=False)
        return WriteReceipt(digest.hexdigest(), facts.st_size, mark(facts))

    def _check_folder(self, path: str) -> None:
        """Raises RefusedError where `path` is in a place that is not a sink's."""
        folder, _, name = path.rpartition("/")
        if folder not in self._checked:
            check_place(self._root, (self._under + folder).rstrip("/"))
            self._checked.add(folder)
        if name.startswith("."):
            check_place(self._root, self._under + path)

    def keep_others(self, run: FinishedRun, path: str, is_ours: Mark) -> None:
        """Raises SinkFailed where something stands at `path` that relightflow did not write, unless the
        operator says `--overwrite`. To be called before a file of a fixed name is written."""
        if run.overwrite or path in run.held:
            return
        try:
            file = self.opened(path)
        except NoFile:
            file = None
            ours = False
        else:
            if file is None:
                return
            with file:
                head = file.read(ENDS)
                file.seek(max(0, file.seek(0, os.SEEK_END) - ENDS))
                ours = is_ours(head, file.read())
        if not ours:
            raise SinkFailed(
                f"{path} was not written by relightflow, so it was not changed; move it away, "
                "use another folder for the sink, or replace it with --overwrite"
            )

    def link(self, path: str, source: Path) -> bool:
        """Let `path` be the file `source`, by a hard link, in the place of an older file: many times
        quicker than another copy. False where the file system cannot; nothing is changed then."""
        self._check_folder(path)
        *folders, name = parts_of(self._under + path)
        with opened_folder(self._root, folders, create=True) as folder:
            try:
                os.link(source, name, dst_dir_fd=folder, follow_symlinks=False)
            except FileExistsError:
                facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
                wanted = source.lstat()
                if (facts.st_dev, facts.st_ino) == (wanted.st_dev, wanted.st_ino):
                    return True
                if not stat.S_ISREG(facts.st_mode):
                    return False
                os.unlink(name, dir_fd=folder)
                os.link(source, name, dst_dir_fd=folder, follow_symlinks=False)
            except OSError:
                return False
        return True

    def remove(self, paths: Iterable[str]) -> None:
        """Take files away that are ours and no longer wanted; a link itself, not what it names."""
        for path in paths:
            *folders, name = parts_of(self._under + path)
            with suppress(FileNotFoundError), opened_folder(self._root, folders) as folder:
                os.unlink(name, dir_fd=folder)

    def remove_empty(self, paths: Iterable[str]) -> None:
        """Take the folders away in which `paths` stood, where nothing else is in them."""
        folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents}
        for path in sorted(folders - {"."}, key=len, reverse=True):
            *above, name = parts_of(self._under + path)
            with suppress(OSError), opened_folder(self._root, above) as folder:
                os.rmdir(name, dir_fd=folder)  # refuses what is not empty

    def copy(self, source: Path, path: str) -> WriteReceipt:
        """Bring `path` in step with the file `source`, touching it only where they differ."""
        with source.open("rb") as stream:
            sha256 = _sha256(stream)
        if self.digest(path) == sha256:
            return self.receipt(path, sha256)
        with source.open("rb") as stream:
            return self.write(path, _pieces(stream), sha256)

    def receipt(self, path: str, sha256: str) -> WriteReceipt:
        """The stamp of the file that is at `path`, its bytes being known."""
        facts = os.lstat(self._prefix + path)
        return WriteReceipt(sha256, facts.st_size, mark(facts))


class NoFile(Exception):
    """Something that is not a regular file is in the place of one."""


def mark(facts: os.stat_result) -> str:
    """What changes when a file is written to or replaced, even by as many bytes."""
    return f"{facts.st_mtime_ns}-{facts.st_ino}"


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(_CHUNK):
        yield piece


def _sha256(stream: BinaryIO) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(stream):
        digest.update(piece)
    return digest.hexdigest()
