"""The `csv` sink: `index.csv`, a row for each output, to sort and count in a spreadsheet.

RFC 4180, UTF-8. Names and values are untrusted: a cell that a spreadsheet would take for a formula
begins with `'`. `path` is where the recipe's first sink of single files put the image.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

from relightflow.model.spreadsheet import cell
from relightflow.plugins.records import SinkContext
from relightflow.plugins.sink import Artifact, FileState, FinishedRun, SinkFailed, WriteReceipt
from relightflow.sinks.columns import columns
from relightflow.sinks.folder import Folder
from relightflow.sinks.output_records import shared_records, unicode_text

INDEX = "index.csv"
_BEFORE = ("index", "status", "path", "source")
_AFTER = (
    "repeat", "width", "height", "size", "media_type", "cost", "sha256", "source_sha256",
    "job", "request_id", "error", "billed",
)  # fmt: skip


class CsvIndex:
    """See the module; `options` are those of `builtin.CSV_SCHEMA`."""

    def __init__(self, context: SinkContext) -> None:
        self._folder = Folder(context.folder, context.options["path"])

    @property
    def location(self) -> str:
        return self._folder.location

    def check(self, path: str, known: WriteReceipt | None, sha256: str) -> FileState:
        return self._folder.check(path, known, sha256)

    def write(self, path: str, data: bytes, media_type: str) -> WriteReceipt:
        del path, data, media_type
        raise SinkFailed("an index takes no images; it is written when a run is over")

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        return (Artifact(INDEX, self._folder.stream(INDEX, _lines(run))),)

    def close(self) -> None:
        """Nothing is held between calls."""


def _lines(run: FinishedRun) -> Iterator[bytes]:
    table = columns(run, (*_BEFORE, *_AFTER))
    yield _line((*_BEFORE, *table.names.values(), *_AFTER))
    for output, _, record in shared_records(run):
        facts = _flat(record) | {"index": output.index, "repeat": output.job.repeat}
        values = dict(table.row(output.cell))
        yield _line((*map(facts.get, _BEFORE), *values.values(), *map(facts.get, _AFTER)))


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    """A manifest's record with what it holds of a source and an error beside the rest."""
    source, error = record.get("source", {}), record.get("error", {})
    return {
        **record,
        **record.get("delivered", {}),  # what is at `path`
        "source": source.get("name"),
        "source_sha256": source.get("sha256"),
        "error": error.get("message"),
        "billed": error.get("billed"),
    }


def _line(values: tuple[Any, ...]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(map(_cell, values))
    return line.getvalue().encode()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return cell(unicode_text(value)) if isinstance(value, str) else value
