"""The bodies of calls under way, each in a file with the name of its call.

Only for providers that take our name for a call: what is sent again there must be the same to the
byte. A body is durable before INTENT is, and goes when the outcome is known; what a crash leaves is
swept by the next run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from relightflow.errors import StorageError
from relightflow.store.atomic import write_atomic

_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)
_LARGEST = 128 << 20
"""Bytes: an image at its cap, in base64, and what is around it."""


@dataclass(frozen=True, slots=True)
class RequestBodies:
    """`folder` is made with the first body."""

    folder: Path

    def keep(self, name: str, body: bytes) -> None:
        """Durable once it returns. Blocks. Raises StorageError."""
        assert _NAME.fullmatch(name), name
        try:
            self.folder.mkdir(mode=0o700, exist_ok=True)
            write_atomic(self.folder, name, body, durable=True, private=True)
        except OSError as error:
            raise StorageError(
                f"the call could not be written to {self.folder} ({error.strerror}); nothing was "
                "sent. Free some space, then run again"
            ) from error

    def read(self, name: str) -> bytes | None:
        """None: it is not there. Blocks. Raises StorageError where it cannot be read."""
        if not _NAME.fullmatch(name):
            return None
        try:
            handle = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(handle, "rb") as file:
                return file.read(_LARGEST)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(
                f"the call {self.folder / name} cannot be read ({error.strerror})"
            ) from error

    def forget(self, name: str) -> None:
        """The outcome is known. A disk that refuses leaves litter, which the next run sweeps."""
        if _NAME.fullmatch(name):
            with suppress(OSError):
                (self.folder / name).unlink()

    def sweep(self, needed: Collection[str]) -> None:
        """Remove every body but those of the calls `needed`. Blocks."""
        with suppress(OSError):
            for entry in self.folder.iterdir():
                if entry.name not in needed:
                    self.forget(entry.name)
