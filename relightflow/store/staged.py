"""Results that another process has put into the blob store's folder, complete and under a name of its own.

Whoever writes the store gives them their final name; until then they are nobody's, and opening the
store sweeps what was left behind. So a machine may write one twice, or one that is not wanted any more.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME = re.compile(r"tmp-worker-[0-9a-f]{32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Staged:
    name: str
    """Of the file, in the blob store's folder."""
    sha256: str
    """Of its bytes."""
    size: int
    """Bytes."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""
    media_type: str
    """`image/jpeg`, `image/png` or `image/webp`."""

    def is_there(self, root: Path) -> bool:
        """Whether the store's folder, as it is seen here, holds the file, whole by its size."""
        if not _NAME.fullmatch(self.name):
            return False
        try:
            facts = os.lstat(root / self.name)
        except OSError:
            return False
        return stat.S_ISREG(facts.st_mode) and facts.st_size == self.size


def stage(root: Path, data: bytes, width: int, height: int, media_type: str) -> Staged:
    """Put `data` into `root`, on the disk before this returns. Raises OSError; nothing is left then."""
    name = f"tmp-worker-{secrets.token_hex(16)}"
    path = root / name
    handle = os.open(path, _NEW, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]
        os.fsync(handle)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(handle)
    return Staged(name, hashlib.sha256(data).hexdigest(), len(data), width, height, media_type)
