"""Finds the images of a run on this machine: beside its manifest, in the store, at the sources."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from relightflow.errors import RelightflowError
from relightflow.gallery.entries import Entry, Input
from relightflow.store import blobs
from relightflow.store.atomic import opened_folder, parts_of

_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_NOCTTY | os.O_CLOEXEC
LARGEST = 64 << 20
"""Bytes of one image; results are never larger."""


def _no_result(_: Entry) -> None:
    return None


def _nothing(_: Input) -> None:
    return None


@dataclass(frozen=True, slots=True)
class LocalImages:
    """A manifest may be a stranger's: its paths are followed only inside `folder`, through no link."""

    blobs: Path | None
    """The store's; None: there is no store."""
    folder: Path | None = None
    """Where the paths of the entries count from; None: nobody knows."""
    read_input: Callable[[Input], bytes | None] = _nothing
    find_input: Callable[[Input], Path | None] = _nothing

    read_result: Callable[[Entry], bytes | None] = _no_result
    """Asked first."""

    def result(self, entry: Entry) -> bytes | None:
        data = self.read_result(entry)
        if data is not None:
            return data
        if self.blobs is not None:
            with suppress(RelightflowError):
                return blobs.read(self.blobs, entry.sha256)
        data = self._beside(entry)
        if data is None:
            return None
        ours = entry.delivered or hashlib.sha256(data).hexdigest() == entry.sha256
        return data if ours else None

    def result_file(self, entry: Entry) -> Path | None:
        if self.folder is not None and entry.path and self._stands(entry):
            return self.folder / entry.path
        if self.blobs is not None and blobs.size_of(self.blobs, entry.sha256) == entry.size:
            return blobs.path_of(self.blobs, entry.sha256)
        return None

    def input(self, image: Input) -> bytes | None:
        return self.read_input(image)

    def input_file(self, image: Input) -> Path | None:
        return self.find_input(image)

    def _stands(self, entry: Entry) -> bool:
        """Whether the file that the entry names is there, and as long as it should be."""
        assert self.folder is not None
        try:
            *folders, name = parts_of(entry.path)
            with opened_folder(self.folder, folders) as folder:
                facts = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except (OSError, ValueError, RelightflowError):  # ValueError: a name that no file can have
            return False
        return stat.S_ISREG(facts.st_mode) and facts.st_size == (entry.delivered or entry.size)

    def _beside(self, entry: Entry) -> bytes | None:
        if self.folder is None or not entry.path or not self._stands(entry):
            return None
        try:
            *folders, name = parts_of(entry.path)
            with (
                opened_folder(self.folder, folders) as folder,
                os.fdopen(os.open(name, _READ, dir_fd=folder), "rb") as file,
            ):
                data = file.read(LARGEST + 1)
        except (OSError, ValueError, RelightflowError):  # ValueError: a name that no file can have
            return None
        return data if len(data) <= LARGEST else None
