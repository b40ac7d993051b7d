"""The `directory` sink: each picture a file, and `manifest.jsonl` beside them.

Files are written whole or not at all, and not forced to the disk one by one: what a power cut takes
is delivered again from the store.
"""

from __future__ import annotations

import hashlib

from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import Artifact, Finished, Presence, Stamp
from relightflow.sinks.folder import Folder

MANIFEST = "manifest.jsonl"


class Directory:
    """See the module; `options` are those of `builtin.DIRECTORY_SCHEMA`."""

    def __init__(self, context: SinkContext) -> None:
        self._folder = Folder(context.folder, context.options["path"])

    @property
    def place(self) -> str:
        return self._folder.place

    def look(self, path: str, known: Stamp | None, sha256: str) -> Presence:
        return self._folder.look(path, known, sha256)

    def write(self, path: str, data: bytes, media_type: str) -> Stamp:
        del media_type  # the name's extension says it
        return self._folder.write(path, data, hashlib.sha256(data).hexdigest())

    def finish(self, run: Finished) -> tuple[Artifact, ...]:
        return (Artifact(MANIFEST, self._folder.copy(run.manifest, MANIFEST)),)

    def close(self) -> None:
        """Nothing is held between calls."""
