"""Writes a file whole or not at all, and never outside the folder it was meant for.

Contract: after a crash, a kill or a full disk the old file is there or the new one, never a part of
either. No symbolic link below the base folder is ever followed: every part of the path is opened on
its own, relative to the one before (openat with O_NOFOLLOW), so that a link planted between a check
and a use changes nothing. Where the file system can (O_TMPFILE), the file has no name until it is
complete, so that even SIGKILL leaves no litter.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from relightflow.errors import RefusedError

# an unnamed file gets its name through /proc (open(2)), which a bare chroot may not have
_TMPFILE: int = getattr(os, "O_TMPFILE", 0) if Path("/proc/self/fd").is_dir() else 0
_NO_TMPFILE = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL}
"""What a file system or a kernel without O_TMPFILE answers (open(2))."""
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_serial = itertools.count()


def write_atomic(
    base: Path | str,
    relative: str,
    data: bytes | Iterable[bytes],
    *,
    durable: bool,
    private: bool = False,
) -> os.stat_result:
    """Put `data` (or its pieces, one after the other) at `base`/`relative`; its facts as in fstat.

    `base` is trusted and may be reached through links; `relative` (with `/`) is not. Folders are
    made as needed. `durable`: on the disk before this returns, name included. `private`: readable
    by the owner only. Raises RefusedError for a path that leaves `base` or meets a link, OSError
    (ENOSPC, EROFS, EIO …) where the disk refuses; nothing is left behind then.
    """
    *folders, name = parts_of(relative)
    with opened_folder(base, folders, create=True, durable=durable, private=private) as folder:
        file, temporary = _open_new(folder, 0o600 if private else 0o666)
        try:
            for piece in (data,) if isinstance(data, bytes) else data:
                _write_all(file, piece)
            if durable:
                os.fsync(file)
            facts = os.fstat(file)
            _publish(file, temporary, folder, name)
        except BaseException:
            if temporary:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=folder)
            raise
        finally:
            os.close(file)
        if durable:
            os.fsync(folder)
        return facts


def parts_of(relative: str) -> list[str]:
    """The names in `relative`; RefusedError where they could lead out of the base folder."""
    parts = relative.split("/")
    if any(part in ("", ".", "..") or "\0" in part for part in parts):
        raise RefusedError(f"refused the path {relative!r}: not a plain path inside a folder")
    return parts


@contextmanager
def opened_folder(
    base: Path | str,
    folders: list[str],
    *,
    create: bool = False,
    durable: bool = False,
    private: bool = False,
) -> Iterator[int]:
    """A descriptor of the folder `base`/`folders`, reached without following a link below `base`.

    Raises RefusedError where a link is in the way, FileNotFoundError unless `create`.
    """
    mode = 0o700 if private else 0o777
    current = _open_base(base, mode, create)
    try:
        for depth, name in enumerate(folders):
            try:
                inner = os.open(name, _FOLDER, dir_fd=current)
            except FileNotFoundError:
                if not create:
                    raise
                inner = _make_folder(current, name, mode, durable)
            except OSError as error:
                raise _refusal(error, current, "/".join(folders[: depth + 1])) from None
            os.close(current)
            current = inner
        yield current
    finally:
        os.close(current)


def _open_base(base: Path | str, mode: int, create: bool) -> int:
    flags = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
    try:
        return os.open(base, flags)
    except FileNotFoundError:
        if not create:
            raise
    Path(base).mkdir(mode=mode, parents=True, exist_ok=True)
    return os.open(base, flags)


def _make_folder(parent: int, name: str, mode: int, durable: bool) -> int:
    with suppress(FileExistsError):  # another thread was quicker
        os.mkdir(name, mode, dir_fd=parent)
    if durable:
        os.fsync(parent)
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except OSError as error:
        raise _refusal(error, parent, name) from None


def _refusal(error: OSError, folder: int, path: str) -> Exception:
    """What an open that failed means: a link in the way is refused, all else stays what it is."""
    with suppress(OSError):
        facts = os.stat(path.rsplit("/", 1)[-1], dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(facts.st_mode):
            return _link_in_the_way(path)
    error.filename = path
    return error


def _link_in_the_way(path: str) -> RefusedError:
    return RefusedError(
        f"refused to write through the symbolic link {path!r}: remove it or use another folder"
    )


def _open_new(folder: int, mode: int) -> tuple[int, str]:
    """A new empty file in `folder`, and its temporary name; empty where it needs none."""
    if _TMPFILE:
        try:
            return os.open(".", os.O_WRONLY | _TMPFILE | os.O_CLOEXEC, mode, dir_fd=folder), ""
        except OSError as error:
            if error.errno not in _NO_TMPFILE:
                raise
    name = _temporary_name()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(name, flags, mode, dir_fd=folder), name


def _temporary_name() -> str:
    return f".relightflow-{os.getpid()}-{next(_serial)}-{os.urandom(4).hex()}.part"


def _write_all(file: int, data: bytes) -> None:
    written = os.write(file, data)
    while written < len(data):
        written += os.write(file, memoryview(data)[written:])


def _publish(file: int, temporary: str, folder: int, name: str) -> None:
    """Give the complete file its name, in the place of an older one but never of a link."""
    if not temporary:
        try:
            return _link(file, folder, name)
        except FileExistsError:
            temporary = _temporary_name()
            _link(file, folder, temporary)
    try:
        _refuse_link(folder, name)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _refuse_link(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        if stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise _link_in_the_way(name)


def _link(file: int, folder: int, name: str) -> None:
    os.link(f"/proc/self/fd/{file}", name, dst_dir_fd=folder, follow_symlinks=True)
