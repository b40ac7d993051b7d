"""What the sinks on this machine have in common: a folder that they write to, and their schema's path.

`FolderSink` takes single images; `AggregateSink` takes none and writes when a run is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from relightflow.core.digest import sha256_of
from relightflow.plugins.output_format import FORMAT_SCHEMA, METADATA_SCHEMA
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import FileState, SinkFailed, WriteReceipt
from relightflow.sinks.folder import Folder

_PATH: dict[str, Any] = {
    "type": "string",
    "minLength": 1,
    "description": "Folder, relative to the recipe and inside its project.",
}

FILES: dict[str, Any] = {
    "name": {
        "type": "string",
        "minLength": 1,
        "description": "File name template, such as `{image.stem}/{light_direction}.{ext}`.",
    },
    "format": FORMAT_SCHEMA,
    "metadata": METADATA_SCHEMA,
}
"""Options of a sink that writes a file for each result."""


def folder_options(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a sink that writes to a folder: `path`, and `properties`."""
    return {
        "type": "object",
        "additionalProperties": False,
        "required": ["path"],
        "properties": {"path": _PATH, **properties},
    }


class FolderSink:
    """Writes files below the recipe's option `path`."""

    def __init__(self, context: SinkContext) -> None:
        """Raises RefusedError where `path` leads out of the recipe's project."""
        self._folder = Folder(context.folder, context.options["path"], context.place)

    @property
    def location(self) -> str:
        return self._folder.location

    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        return self._folder.check(path, known, sha256)

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        del media_type  # the name's extension says it
        return self._folder.write(path, data, sha256_of(data))

    def receipt(self, path: str, sha256: str) -> WriteReceipt | None:
        return self._folder.receipt(path, sha256)

    def read(self, path: str, most: int) -> bytes | None:
        data = self._folder.read(path, most)
        return data if data is not None and len(data) <= most else None

    def remove(self, paths: Sequence[str]) -> None:
        self._folder.remove(paths)
        self._folder.remove_empty(paths)

    def close(self) -> None:
        """Nothing is held between calls."""


class AggregateSink(FolderSink):
    """Writes one or a few files when a run is over, and takes no single images."""

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        del path, data, media_type
        raise SinkFailed("this sink does not accept single images; it writes at the end of a run")
