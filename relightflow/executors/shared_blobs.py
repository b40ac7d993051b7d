"""The blob store as workers see it: the same folder, proven by a file that only this run has made."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from pathlib import Path

from relightflow.errors import RelightflowError
from relightflow.images import BadImage, probe
from relightflow.plugins.executor import TaskRefused
from relightflow.store.blobs import read
from relightflow.store.staged import Staged, stage


@dataclass(frozen=True, slots=True)
class SharedBlobs:
    """Travels with every task. Methods are called on a worker; each raises TaskRefused where the
    worker does not see the folder, or cannot use it."""

    root: Path
    marker: str
    """Name of a file in `root` that this run has made."""

    def check(self) -> None:
        """A worker with another folder of the same name must not write there."""
        if not (self.root / self.marker).is_file():
            raise TaskRefused(f"a worker on {socket.gethostname()} does not see {self.root}")

    def read(self, sha256: str) -> bytes:
        """A result's bytes, checked."""
        self.check()
        try:
            return read(self.root, sha256)
        except RelightflowError as problem:
            raise TaskRefused(f"a worker could not read a result: {problem}") from None

    def stage(self, data: bytes) -> Staged | bytes:
        """Put a new result where the run finds it. `data` itself where it is no image: the run says so."""
        self.check()
        try:
            image = probe(data)
        except BadImage:
            return data
        try:
            return stage(self.root, data, image.width, image.height, image.media_type)
        except OSError as problem:
            raise TaskRefused(
                f"a worker could not write to {self.root}: {problem.strerror}"
            ) from None
