"""The `csv` sink: `index.csv`, a row for each output, to sort and count in a spreadsheet.

RFC 4180, UTF-8. Names and values are untrusted: a cell that a spreadsheet would take for a formula
begins with `'`. `path` is where the recipe's first sink of single files put the image.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any

from relightflow.model.spreadsheet import cell
from relightflow.plugins.records import SinkRecord
from relightflow.plugins.sink import MOST_MANIFEST, Artifact, FinishedRun
from relightflow.sinks.base import AggregateSink, folder_options
from relightflow.sinks.columns import columns
from relightflow.sinks.output_records import shared_records, unicode_text
from relightflow.sinks.owned import is_table

INDEX = "index.csv"
_BEFORE = ("index", "status", "path", "source")
_AFTER = (
    "repeat", "width", "height", "size", "media_type", "cost", "sha256", "source_sha256",
    "job", "request_id", "error", "billed",
)  # fmt: skip


RECORD = SinkRecord(
    name="csv",
    summary="A CSV table of all outputs, safe to open in a spreadsheet",
    create="relightflow.sinks.csv_index:CsvIndex",
    schema=folder_options({}),
    layout="aggregate",
    writes=(INDEX,),
)


class CsvIndex(AggregateSink):
    """See the module; `options` are those of `RECORD`."""

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        self._folder.keep_others(run, INDEX, is_table)
        return (Artifact(INDEX, self._folder.stream(INDEX, _lines(run))),)

    def records(self) -> Iterator[Mapping[str, Any]]:
        """Its rows. Nothing in a table can be read back as an image."""
        data = self._folder.read(INDEX, MOST_MANIFEST) or b""
        if len(data) > MOST_MANIFEST or not is_table(data, b""):
            return
        for row in csv.DictReader(io.StringIO(data.decode(errors="replace"), newline="")):
            yield {name: row.get(name) for name in ("job", "status", "sha256", "request_id")} | {
                "cost": _amount(row.get("cost"))
            }


def _amount(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None


def _lines(run: FinishedRun) -> Iterator[bytes]:
    table = columns(run, (*_BEFORE, *_AFTER))
    yield _line((*_BEFORE, *table.names.values(), *_AFTER))
    for output, _, record in shared_records(run):
        facts = _flat(record) | {"index": output.index, "repeat": output.repeat}
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
