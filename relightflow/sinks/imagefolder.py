"""The `imagefolder` sink: images as files, and `metadata.jsonl` with a line for each.

`file_name` is the image; `source_file_name`, where sources are asked for, is a copy of the input
under `sources/`, a second image column. The parameters and a caption are the other columns.
`README.md` tells the reader that they are one data set.

Layout: "ImageFolder" in the documentation of the library `datasets` (huggingface.co/docs/datasets).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from relightflow.model.job import Output
from relightflow.model.output_format import extension
from relightflow.plugins.records import SinkContext, SinkRecord
from relightflow.plugins.sink import (
    MANIFEST,
    MOST_MANIFEST,
    Artifact,
    FinishedRun,
    SinkFailed,
    WriteReceipt,
    manifest_records,
)
from relightflow.sinks.base import FILES, FolderSink, folder_options
from relightflow.sinks.columns import columns
from relightflow.sinks.dataset_card import CARD, card
from relightflow.sinks.output_records import (
    Originals,
    caption,
    one_type,
    shared_records,
    unicode_text,
)
from relightflow.sinks.owned import is_card, is_manifest, is_metadata, never

METADATA, SOURCES = "metadata.jsonl", "sources"
_WORDS = "`metadata.jsonl` describes each image, `manifest.jsonl` what it was made from."
_OURS = (
    "file_name", "source_file_name", "source_name", "caption", "repeat", "job", "index",
    "image", "source",  # what the reader makes of the first two
)  # fmt: skip
"""Columns beside the parameters."""


RECORD = SinkRecord(
    name="imagefolder",
    summary="Images and metadata.jsonl, in the format of the datasets library",
    create="relightflow.sinks.imagefolder:ImageFolder",
    schema=folder_options(
        {
            "name": FILES["name"],
            "sources": {
                "type": "boolean",
                "default": False,
                "description": "Whether the input images are copied as a second image column.",
            },
            "format": FILES["format"],
            "metadata": FILES["metadata"],
        }
    ),
    layout="files",
    converts_format=True,
    remote=True,
    shares_folder=False,
    writes=(MANIFEST, METADATA, CARD),
)


class ImageFolder(FolderSink):
    """See the module; `options` are those of `RECORD`."""

    def __init__(self, context: SinkContext) -> None:
        super().__init__(context)
        self._sources = context.options.get("sources", False)

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        location = path.casefold()
        if location in (METADATA, CARD.casefold()) or location.startswith(f"{SOURCES}/"):
            raise SinkFailed(f"{path} is reserved for the data set: use another `name` template")
        return super().write(path, data, media_type)

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        fixed = ((MANIFEST, is_manifest), (METADATA, is_metadata), (CARD, is_card))
        for path, is_ours in fixed:
            if path not in run.edited:
                self._folder.keep_others(run, path, is_ours)
        made = [Artifact(MANIFEST, self._folder.copy(run.manifest, MANIFEST))]
        sources = dict(self._copies(run)) if self._sources else {}
        made += (Artifact(path, receipt) for path, receipt in sources.items())
        if METADATA not in run.edited:
            made.append(Artifact(METADATA, self._folder.stream(METADATA, self._metadata(run))))
        if CARD not in run.edited:
            made.append(Artifact(CARD, self._folder.stream(CARD, (card("**", _WORDS),))))
        wanted = {artifact.path for artifact in made}
        self._folder.remove(path for path in run.held if path not in wanted)
        return tuple(made)

    def records(self) -> Iterator[Mapping[str, Any]]:
        """The manifest's; where somebody took it away, the rows of `metadata.jsonl`."""
        data = self._folder.read(MANIFEST, MOST_MANIFEST)
        yield from manifest_records(data)
        if data is None:
            for line in (self._folder.read(METADATA, MOST_MANIFEST) or b"").split(b"\n"):
                with suppress(ValueError, TypeError, KeyError, RecursionError):
                    yield {"job": json.loads(line)["job"], "status": "done"}

    def _metadata(self, run: FinishedRun) -> Iterator[bytes]:
        table = columns(run, _OURS)
        for output, result, record in shared_records(run):
            path = record.get("path")
            if result is None or path is None or not self._folder.holds(path):
                continue
            row: dict[str, Any] = {"file_name": path}
            if self._sources:
                row["source_file_name"] = _source_path(output)
            row["source_name"] = unicode_text(output.image.name)
            row["caption"] = caption(output)
            row |= table.row(output.cell)
            row |= {"repeat": output.repeat, "job": output.job.id, "index": output.index}
            yield json.dumps(row, separators=(",", ":")).encode("ascii") + b"\n"

    def _copies(self, run: FinishedRun) -> Iterator[tuple[str, WriteReceipt]]:
        """Every input that has an image, once, however many names it has."""
        originals, seen = Originals(run), set[str]()
        for output, result, _ in shared_records(run):
            path, sha256 = _source_path(output), output.image.sha256
            if result is None or path in seen or path in run.edited:
                continue
            seen.add(path)
            found = self._folder.digest(path)
            if found != sha256:  # else it is the image itself, which was upright
                data = originals.of(output)
                sha256 = hashlib.sha256(data).hexdigest()
            if found == sha256:
                yield path, self._folder.receipt(path, sha256)
            else:
                self._folder.keep_others(run, path, never)
                yield path, self._folder.write(path, data, sha256)


def _source_path(output: Output) -> str:
    image = output.image
    return f"{SOURCES}/{image.sha256[:16]}.{extension(one_type([image.media_type]))}"
