"""The `webdataset` sink: tar shards that stream into training, `manifest.jsonl` beside them.

A sample is `KEY.output.<ext>`, `KEY.source.<ext>` and `KEY.json`, one after the other; KEY is the
job's id (and the output's index where one job is wanted twice). All samples have the same members of the
same types, whatever the inputs were: where image formats are mixed, all are PNG. The tar files are USTAR with no
time, owner or order of their own: the same run gives the same bytes. One sample is in memory at a
time. Shards of an earlier, larger run are removed if nobody changed them.

Layout: the format that the library `webdataset` reads (github.com/webdataset/webdataset).
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from relightflow.model.output_format import Copy, OutputFormat, extension, output_format
from relightflow.plugins.records import SinkContext, SinkRecord
from relightflow.plugins.sink import (
    MANIFEST,
    MOST_MANIFEST,
    Artifact,
    FinishedRun,
    manifest_records,
)
from relightflow.sinks.base import FILES, AggregateSink, folder_options
from relightflow.sinks.columns import Columns, Kinds
from relightflow.sinks.dataset_card import CARD, card
from relightflow.sinks.folder import NoFile
from relightflow.sinks.output_records import (
    Originals,
    SharedRecord,
    caption,
    delivered_image,
    one_type,
    shared_records,
    without_place,
)
from relightflow.sinks.owned import is_card, is_manifest, is_shard

SAMPLES = 1000
"""A shard's, where the recipe does not say."""

_Member = tuple[str, bytes]
_FIELDS = (
    "index", "job", "key", "source", "repeat", "status", "sha256", "size", "width", "height",
    "media_type", "cost",
)  # fmt: skip
"""Of a manifest's record, what every output with a result has."""


RECORD = SinkRecord(
    name="webdataset",
    summary="Tar shards in the format of the webdataset library",
    create="relightflow.sinks.webdataset:WebDataset",
    schema=folder_options(
        {
            "prefix": {
                "type": "string",
                "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$",
                "patternErrorMessage": "is not a valid name: use at most 64 letters, digits, `-` and `_`",
                "description": "Prefix of the shards' names; default: the recipe's name.",
            },
            "samples": {
                "type": "integer",
                "minimum": 1,
                "default": 1000,
                "description": "Samples per shard.",
            },
            "bytes": {
                "type": "integer",
                "minimum": 1,
                "description": "Instead of `samples`: largest size of a shard in bytes (a larger sample gets its own).",
            },
            "sources": {
                "type": "boolean",
                "default": True,
                "description": "Whether each sample contains its input image.",
            },
            "format": FILES["format"],
        }
    )
    | {
        "dependencies": {
            "bytes": {
                "not": {"required": ["samples"]},
                "description": "use either `samples` or `bytes`, not both",
            }
        },
    },
    layout="aggregate",
    converts_format=True,
    writes=(MANIFEST, CARD),
)


@dataclass(frozen=True, slots=True)
class _ShardSample:
    members: tuple[_Member, ...]

    @property
    def size(self) -> int:
        """Bytes in a tar file."""
        return sum(tarfile.BLOCKSIZE + _padded(len(data)) for _, data in self.members)


class WebDataset(AggregateSink):
    """See the module; `options` are those of `RECORD`."""

    def __init__(self, context: SinkContext) -> None:
        options = context.options
        super().__init__(context)
        self._prefix = options.get("prefix", context.recipe)
        self._sources = options.get("sources", True)
        self._form = output_format(options)
        self._members: dict[str, tuple[str, int, int]] | None = None
        """What is in the shards; None: they were not read yet."""
        self._most_bytes: float = options.get("bytes", math.inf)
        self._most_samples: float = options.get(
            "samples", math.inf if "bytes" in options else SAMPLES
        )

    def finalize(self, run: FinishedRun) -> tuple[Artifact, ...]:
        made = []
        self._folder.keep_others(run, MANIFEST, is_manifest)
        self._folder.keep_others(run, CARD, is_card)
        for number, shard in enumerate(self._shards(self._samples(run))):
            path = self._shard(number)
            self._folder.keep_others(run, path, is_shard)
            made.append(Artifact(path, self._folder.stream(path, archive(shard))))
        lines = (
            json.dumps(without_place(record), separators=(",", ":")) for record in run.records()
        )
        text = ((line + "\n").encode("ascii") for line in lines)
        made.append(Artifact(MANIFEST, self._folder.stream(MANIFEST, text)))
        words = "Each sample contains a result, its source and its metadata; see `manifest.jsonl`."
        pieces = (card(f"{self._prefix}-*.tar", words),)
        made.append(Artifact(CARD, self._folder.stream(CARD, pieces)))
        self._folder.remove(path for path in run.held if path not in {a.path for a in made})
        return tuple(made)

    def records(self) -> Iterator[Mapping[str, Any]]:
        """The manifest's, with each image's place in the shards as its path."""
        for record in manifest_records(self._folder.read(MANIFEST, MOST_MANIFEST)):
            job, media_type = record.get("job"), record.get("media_type")
            if isinstance(job, str) and isinstance(media_type, str):
                record["path"] = f"{job}.output.{extension(media_type)}"
            yield record

    def read(self, path: str, most: int) -> bytes | None:
        """The image that a shard holds as the member `path`."""
        if self._members is None:
            self._members = dict(self._found())
        if path not in self._members:
            return None
        shard, start, size = self._members[path]
        file = self._folder.opened(shard)
        if file is None or size > most:
            return None
        with file:
            file.seek(start)
            return file.read(size)

    def _found(self) -> Iterator[tuple[str, tuple[str, int, int]]]:
        """Every member of every shard: its name, and its shard, first byte and size."""
        for number in itertools.count():
            shard = self._shard(number)
            try:
                file = self._folder.opened(shard)
                if file is None:
                    return
                with file, tarfile.open(fileobj=file, mode="r:") as members:
                    for member in members:
                        if member.isreg() and not member.issparse():
                            yield member.name, (shard, member.offset_data, member.size)
            except (NoFile, tarfile.TarError):
                return

    def _shard(self, number: int) -> str:
        return f"{self._prefix}-{number:06d}.tar"

    def _samples(self, run: FinishedRun) -> Iterator[_ShardSample]:
        """Every sample has the same members of the same types: readers take those of the first one for
        those of all."""
        shape = _shape(run, self._form)
        originals, seen = Originals(run, shape.source), set[int]()
        for item in shared_records(run):
            output, result, _ = item
            if result is None:
                continue
            number = int(output.job.id, 16)  # a number takes a third of the memory of its text
            key = f"{output.job.id}-{output.index}" if number in seen else output.job.id
            seen.add(number)
            data, media_type = delivered_image(run, output, result, shape.form)
            members = [(f"{key}.output.{extension(media_type)}", data)]
            if self._sources:
                name = f"{key}.source.{extension(shape.source)}"
                members.append((name, originals.of(output)))
            facts = shape.facts(item, Copy(hashlib.sha256(data).hexdigest(), len(data), media_type))
            line = json.dumps(facts, separators=(",", ":")).encode("ascii")
            yield _ShardSample((*members, (f"{key}.json", line)))

    def _shards(self, samples: Iterator[_ShardSample]) -> Iterator[Iterator[_ShardSample]]:
        """`samples`, cut where a shard is full. Each shard is to be used up before the next."""
        waiting = next(samples, None)

        def shard(sample: _ShardSample) -> Iterator[_ShardSample]:
            nonlocal waiting
            count, size = 0, 0
            following: _ShardSample | None = sample
            while following is not None and not self._full(count, size + following.size):
                yield following
                count, size = count + 1, size + following.size
                following = next(samples, None)
            waiting = following

        while waiting is not None:
            yield shard(waiting)

    def _full(self, count: int, size: int) -> bool:
        """Whether a shard of `count` samples has no room for one more that makes it `size` bytes."""
        too_much = size > self._most_bytes or count >= self._most_samples
        return count > 0 and too_much  # one sample too large for a shard still needs one


def archive(samples: Iterable[_ShardSample]) -> Iterator[bytes]:
    """A tar file in pieces."""
    size = 0
    for sample in samples:
        for name, data in sample.members:
            yield _header(name, len(data))
            yield data
            yield b"\0" * (_padded(len(data)) - len(data))
        size += sample.size
    end = size + 2 * tarfile.BLOCKSIZE
    yield b"\0" * (end + -end % tarfile.RECORDSIZE - size)


def _header(name: str, size: int) -> bytes:
    info = tarfile.TarInfo(name)  # its own defaults: no owner, no time
    info.size, info.mode = size, 0o644
    return info.tobuf(tarfile.USTAR_FORMAT)


def _padded(size: int) -> int:
    return size + -size % tarfile.BLOCKSIZE


@dataclass(frozen=True, slots=True)
class _Shape:
    """What all samples have in common."""

    form: OutputFormat
    """Of the results."""
    source: str
    """Media type of the input images."""
    cells: Columns
    parameters: Columns

    def facts(self, item: SharedRecord, member: Copy) -> dict[str, Any]:
        """The manifest's record, with every field that any sample has and of one type each."""
        output, _, record = item
        return {
            "caption": caption(output),
            **{name: record[name] for name in _FIELDS if name in record},
            "cell": dict(self.cells.row(output.cell)),
            "parameters": dict(self.parameters.row(output.job.parameters)),
            "request_id": record.get("request_id", ""),
            "delivered": member.facts(),
        }


def _shape(run: FinishedRun, form: OutputFormat | None) -> _Shape:
    """Found in one look at the outputs; no image is read."""
    results, sources = set[str](), set[str]()
    cells, parameters = Kinds(run.axes), Kinds()
    for output, result in run.outputs():
        if result:
            results.add(result.media_type)
            sources.add(output.image.media_type)
            cells.note(output.cell)
            parameters.note(output.job.parameters)
    kept = OutputFormat(one_type(results))
    return _Shape(form or kept, one_type(sources), cells.whole(), parameters.whole())
