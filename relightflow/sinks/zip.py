"""The `zip` sink: all images of a run in one file, with `manifest.jsonl` inside.

Images come in plan order, each stored as it is (they are compressed already), dated 1980-01-01,
so the same run gives the same bytes. One image, and the manifest, is in memory at a time.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

from relightflow.model.output_format import output_format
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import Artifact, FileState, FinishedRun, SinkFailed, WriteReceipt
from relightflow.sinks.folder import Folder
from relightflow.sinks.output_records import (
    delivered,
    delivered_image,
    shared_records,
    without_place,
)

MANIFEST = "manifest.jsonl"
_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a zip file can say."""
_UNIX, _MODE = 3, 0o100644


class Zip:
    """See the module; `options` are those of `builtin.ZIP_SCHEMA`."""

    def __init__(self, context: SinkContext) -> None:
        self._folder = Folder(context.folder, context.options["path"])
        self._file = f"{context.recipe}.zip"
        self._form = output_format(context.options)

    @property
    def location(self) -> str:
        return self._folder.location

    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        return self._folder.check(path, known, sha256)

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        del path, data, media_type
        raise SinkFailed("a zip file takes no single images; it is written when a run is over")

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        receipt = self._folder.stream(self._file, archive(self._entries(run)))
        self._folder.remove(path for path in run.held if path != self._file)
        return (Artifact(self._file, receipt),)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _entries(self, run: FinishedRun) -> Iterator[tuple[str, bytes]]:
        lines, packed = io.BytesIO(), dict[str, dict[str, Any]]()
        head = next((r for r in run.records() if r.get("record") == "recipe"), None)
        if head is not None:
            lines.write(_line(head))
        for output, result, record in shared_records(run):
            facts = without_place(record)
            if result is not None:
                path = facts["path"] = run.path(output, result)
                if path not in packed:  # the same job twice is one image
                    data, media_type = delivered_image(run, output, result, self._form)
                    packed[path] = delivered(result, data, media_type)
                    yield path, data
                facts |= packed[path]
            lines.write(_line(facts))
        for record in run.records():
            if record.get("record") == "rejected":
                lines.write(_line(record))
        yield MANIFEST, lines.getvalue()


def archive(entries: Iterator[tuple[str, bytes]]) -> Iterator[bytes]:
    """A zip file in pieces, from paths and bytes."""
    window = _Window()
    with zipfile.ZipFile(window, "w") as packed:
        for path, data in entries:
            info = zipfile.ZipInfo(path, _DATE)
            info.create_system, info.external_attr = _UNIX, _MODE << 16
            info.compress_type = zipfile.ZIP_STORED
            packed.writestr(info, data)
            yield window.passed()
    yield window.passed()


class _Window(io.RawIOBase):
    """A file of which only the newest part is held: `zipfile` goes back within an entry, to write
    its checksum, and never further."""

    def __init__(self) -> None:
        self._before = 0
        self._part = io.BytesIO()

    def passed(self) -> bytes:
        """What was written since the last call; there is no way back to it."""
        data = self._part.getvalue()
        self._before += len(data)
        self._part = io.BytesIO()
        return data

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._part.write(data)

    def tell(self) -> int:
        return self._before + self._part.tell()

    def seek(self, offset: int, whence: int = 0) -> int:
        if whence != io.SEEK_SET or offset < self._before:
            raise io.UnsupportedOperation("only within what is held")
        return self._before + self._part.seek(offset - self._before)


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode("ascii") + b"\n"
