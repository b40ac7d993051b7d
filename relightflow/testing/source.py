"""The conformance kit for sources."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from relightflow.images import probe
from relightflow.model.image import Found, Image, PassedOver, Rejected, Remark
from relightflow.model.values import FrozenMap
from relightflow.plugins.records import SourceContext, SourceRecord
from relightflow.plugins.source import HasReader, Source, StaleImage
from relightflow.testing.record import check_record

_INDEX = 7
"""Any place in a recipe but the first, so that a source cannot guess it."""


def check_source(
    record: SourceRecord,
    folder: Path,
    options: Mapping[str, Any],
    change: Callable[[Image], None] | None = None,
) -> None:
    """`record` makes sources that keep the protocol's promises.

    `folder` and `options` must lead to at least one usable image. `change`, where given, alters
    what the source would read for an image; the source must then call it stale.

    Checked: the record; two scans, also of a source made again, yield the same in the same order;
    every image is what its bytes say and can be read again by another process; nothing that was
    hashed differently is handed out; the cache folder may be empty, filled or away.
    """
    check_record(record, SourceRecord, options)
    bare = SourceContext(folder, FrozenMap(options), _INDEX)
    cached = replace(bare, cache=folder / ".kit-cache")
    first = _scanned(record, bare)
    images = [item for item in first if isinstance(item, Image)]
    assert images, f"{record.name} finds no image in {folder}: give the kit one to look at"
    for context in (bare, cached, cached):
        again = _scanned(record, context)
        assert again == first, f"{record.name}: two scans of the same content differ"
    for item in first:
        _check_item(record, item)
    source = record.make(bare)  # as after a restart: it has not scanned
    for image in images:
        _check_read(record, source, image)
    if change:
        change(images[0])
        _check_stale(record, source, images[0], "changed")
    source.close()


def _scanned(record: SourceRecord, context: SourceContext) -> list[Found]:
    source = record.make(context)
    found = source.scan()
    assert isinstance(found, Iterator), f"{record.name}: scan() must be lazy: `yield` the images"
    items = list(found)
    assert list(source.scan()) == items, f"{record.name}: a second scan() differs from the first"
    source.close()
    return items


def _check_item(record: SourceRecord, item: Found) -> None:
    assert isinstance(item, Found), f"{record.name}: scan() yielded {item!r}"
    assert item.source == _INDEX, f"{record.name}: `source` must be the context's index"
    if isinstance(item, PassedOver | Remark):
        return
    assert item.name, f"{record.name}: an image has no name"
    if isinstance(item, Rejected):
        assert item.reason, f"{record.name}: {item.name} was rejected without a reason"
        return
    parts = item.name.split("/")
    assert parts[0] != "" and ".." not in parts, (  # noqa: PT018 one rule, one message
        f"{record.name}: the name {item.name!r} must be a relative path that leaves no folder"
    )
    item.name.encode()  # text that cannot be written would stop a manifest


def _check_read(record: SourceRecord, source: Source, image: Image) -> None:
    data = source.read(image)
    what = f"{record.name}: {image.name}"
    assert hashlib.sha256(data).hexdigest() == image.sha256, f"{what}: read() gives other bytes"
    assert len(data) == image.size, f"{what}: `size` is not the number of bytes"
    seen = probe(data)
    told = (image.media_type, image.width, image.height)
    assert told == (seen.media_type, seen.width, seen.height), (
        f"{what}: it is {seen}, and the source says {told} (pixels count after EXIF orientation)"
    )
    _check_stale(record, source, replace(image, sha256="0" * 64), "hashed differently when planned")
    _check_reader(record, source, image, data)


def _check_reader(record: SourceRecord, source: Source, image: Image, data: bytes) -> None:
    """What reads an image on another machine can be sent there, and gives the same bytes."""
    read = source.reader(image) if isinstance(source, HasReader) else None
    if read is None:
        return
    what = f"{record.name}: {image.name}"
    try:
        sent = pickle.loads(pickle.dumps(read))  # noqa: S301  our own, in this very line
    except Exception as error:
        raise AssertionError(f"{what}: what `reader` gives cannot be pickled ({error})") from error
    assert sent() == data, f"{what}: what `reader` gives reads other bytes than read()"


def _check_stale(record: SourceRecord, source: Source, image: Image, how: str) -> None:
    try:
        source.read(image)
    except StaleImage as error:
        assert str(error), f"{record.name}: StaleImage must say which image and what to do"
    else:
        raise AssertionError(
            f"{record.name}: {image.name} was {how} and read() handed it out; raise StaleImage"
        )
