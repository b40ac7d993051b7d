"""The `zip` sink: all images of a run in one file, with `manifest.jsonl` inside.

Images come in plan order, each stored as it is (they are compressed already), dated 1980-01-01,
so the same run gives the same bytes. One image, and the manifest, is in memory at a time.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

from relightflow.model.output_format import output_format
from relightflow.plugins.records import SinkContext, SinkRecord
from relightflow.plugins.sink import (
    MANIFEST,
    MOST_MANIFEST,
    Artifact,
    FinishedRun,
    manifest_records,
)
from relightflow.sinks.base import FILES, AggregateSink, folder_options
from relightflow.sinks.folder import NoFile
from relightflow.sinks.output_records import (
    delivered,
    delivered_image,
    shared_records,
    without_place,
)
from relightflow.sinks.owned import is_archive

_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a zip file can say."""
_UNIX, _MODE = 3, 0o100644


RECORD = SinkRecord(
    name="zip",
    summary="All results and the manifest in one ZIP file",
    create="relightflow.sinks.zip:Zip",
    schema=folder_options(
        {
            **FILES,
        }
    ),
    layout="archive",
    converts_format=True,
    writes=("{recipe}.zip",),
)


class Zip(AggregateSink):
    """See the module; `options` are those of `RECORD`."""

    def __init__(self, context: SinkContext) -> None:
        super().__init__(context)
        self._file = f"{context.recipe}.zip"
        self._form = output_format(context.options)
        self._metadata = context.options.get("metadata", "copyright")

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        self._folder.keep_others(run, self._file, is_archive)
        receipt = self._folder.stream(self._file, archive(self._entries(run)))
        self._folder.remove(path for path in run.held if path != self._file)
        return (Artifact(self._file, receipt),)

    def records(self) -> Iterator[Mapping[str, Any]]:
        yield from manifest_records(self._entry(MANIFEST, MOST_MANIFEST))

    def read(self, path: str, most: int) -> bytes | None:
        """The image at `path` in the archive."""
        return self._entry(path, most)

    def _entry(self, name: str, most: int) -> bytes | None:
        """None where there is no such entry, no archive, or more than `most` bytes. Entries are stored
        uncompressed; whatever is compressed is not ours."""
        try:
            file = self._folder.opened(self._file)
            if file is None:
                return None
            with file, zipfile.ZipFile(file) as packed:
                info = packed.getinfo(name)
                if info.compress_type != zipfile.ZIP_STORED or info.file_size > most:
                    return None
                return packed.read(info)
        except (NoFile, KeyError, zipfile.BadZipFile, NotImplementedError, RuntimeError):
            return None

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
                    same = self._form is None or self._form.keeps(result.media_type)
                    data = run.with_metadata(output, data, self._metadata)
                    packed[path] = delivered(result, data, media_type, metadata=same)
                    yield path, data
                facts |= packed[path]
            lines.write(_line(facts))
        for record in run.records():
            if record.get("record") == "rejected":
                lines.write(_line(record))
        yield MANIFEST, lines.getvalue()


def archive(entries: Iterator[tuple[str, bytes]]) -> Iterator[bytes]:
    """A zip file in pieces, from paths and bytes."""
    window = _WriteWindow()
    with zipfile.ZipFile(window, "w") as packed:
        for path, data in entries:
            info = zipfile.ZipInfo(path, _DATE)
            info.create_system, info.external_attr = _UNIX, _MODE << 16
            info.compress_type = zipfile.ZIP_STORED
            packed.writestr(info, data)
            yield window.passed()
    yield window.passed()


class _WriteWindow(io.RawIOBase):
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
