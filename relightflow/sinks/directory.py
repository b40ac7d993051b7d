"""The `directory` sink: each image a file, and `manifest.jsonl` beside them.

Files are written whole or not at all, and not forced to the disk one by one: what a power cut takes
is delivered again from the store.
"""

from __future__ import annotations

import hashlib

from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import Artifact, FileState, FinishedRun, WriteReceipt
from relightflow.sinks.folder import Folder

MANIFEST = "manifest.jsonl"


class Directory:
    """See the module; `options` are those of `builtin.DIRECTORY_SCHEMA`."""

    def __init__(self, context: SinkContext) -> None:
        self._folder = Folder(context.folder, context.options["path"])

    @property
    def location(self) -> str:
        return self._folder.location

    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        return self._folder.check(path, known, sha256)

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        del media_type  # the name's extension says it
        return self._folder.write(path, data, hashlib.sha256(data).hexdigest())

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        return (Artifact(MANIFEST, self._folder.copy(run.manifest, MANIFEST)),)

    def close(self) -> None:
        """Nothing is held between calls."""
