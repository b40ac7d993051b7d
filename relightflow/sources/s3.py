"""The `s3` source: images in an object store (S3, Google Cloud, Azure), in natural order.

The listing is read a page at a time and of each object only name, size and ETag are kept. Objects
that did not change since an earlier scan are not read again (`etags.py`), yet `read` always checks the
bytes it hands over against the hash that the plan was made with.
"""

from __future__ import annotations

import errno
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import NamedTuple

from relightflow.errors import UsageError
from relightflow.images import BadImage, probe
from relightflow.images.filetypes import belongs_to_images, kind
from relightflow.model.image import Found, Image, PassedOver, Rejected, Remark
from relightflow.network import apart
from relightflow.objects.address import Address, address
from relightflow.objects.bucket import Bucket, opened
from relightflow.objects.faults import ObjectFault, Reason
from relightflow.plugins.executor import Task, TaskRefused
from relightflow.plugins.records import SourceContext
from relightflow.plugins.source import READER_SECONDS, URL_SECONDS, SourceUnavailable, StaleImage
from relightflow.sources.etags import Etags
from relightflow.sources.file_index import Known
from relightflow.sources.files import unusable
from relightflow.sources.listing import Listing
from relightflow.sources.patterns import Patterns, natural_order

MAX_BYTES = 64 << 20
"""A larger object is no photograph to relight, and memory is finite."""
IMAGES = tuple(f"**/*.{end}" for end in ("jpg", "jpeg", "png", "webp"))
"""What is taken where the recipe names no pattern."""
_OF_THE_OBJECT = (
    Reason.MISSING,
    Reason.CHANGED,
    Reason.DENIED,
    Reason.ARCHIVED,
    Reason.LOCKED,
    Reason.REFUSED,
    Reason.UNSUPPORTED,
)
"""What keeps one object from being read, and says nothing about the others."""
_FILES = re.compile(r"\.[A-Za-z0-9]{2,5}$")
"""How a name ends that is no folder's."""
_THREADS = 8
_BATCH = 64
_HANDED_OVER = {"upload": "upload", "inline": "inline", "presign": "url"}


class _Object(NamedTuple):
    path: str
    size: int
    etag: str


class S3Source:
    """See the module; `options` are those of `builtin.S3_SCHEMA`."""

    def __init__(self, context: SourceContext) -> None:
        self._number = context.index
        self._offline = context.operator.offline
        self._delivery = _HANDED_OVER.get(context.options.get("delivery", ""), "")
        self._bucket: Bucket = opened(context.options["uri"])
        self._avoid = _folders_to_avoid(self._bucket.address, context.avoid_uris)
        self._written: tuple[str, ...] = tuple(context.options.get("include", ()))
        self._include = Patterns(self._written or IMAGES)
        self._exclude = Patterns(context.options.get("exclude", ()), hidden=True)
        self._ask = context.ask
        self._etags = Etags(context.cache, str(self._bucket))

    def scan(self) -> Iterator[Found]:
        self._etags.load()
        if self._offline:
            yield from self._remembered()
            return
        try:
            yield from self._scan()
        except ObjectFault as error:
            raise error.as_error from None
        self._etags.save()

    def _scan(self) -> Iterator[Found]:
        meant: list[_Object] = []
        beside: Counter[str] = Counter()
        listing = self._listing()
        for f in self._bucket.list():
            item = _Object(f.path, f.size, f.etag)
            if not f.path:
                continue
            if self._is_meant(listing, item.path):
                meant.append(item)
            elif item.size and self._lies_beside(listing, item.path):
                beside[kind(item.path)] += 1
        yield from (PassedOver(name, self._number, number) for name, number in beside.items())
        yield from self._unmatched(listing)
        meant.sort(key=lambda item: natural_order(item.path))
        ahead = iter(_without_folders(meant))
        width = _BATCH if self._ask else _THREADS
        with ThreadPoolExecutor(width, thread_name_prefix="s3") as pool:
            while batch := tuple(islice(ahead, _BATCH)):
                known = [self._etags.find(item.path, item.etag, item.size) for item in batch]
                unread = [item for item, old in zip(batch, known, strict=True) if old is None]
                fresh = pool.map(self._examined, unread)
                for item, old in zip(batch, known, strict=True):
                    yield self._image(item.path, item.etag, old) if old else next(fresh)

    def _remembered(self) -> Iterator[Image | Remark]:
        """What an earlier scan saw: nothing is asked while the operator says offline."""
        listing = self._listing()
        for name, etag, known in sorted(self._etags.known(), key=lambda row: natural_order(row[0])):
            if self._is_meant(listing, name):
                yield self._image(name, etag, known)
        yield from self._unmatched(listing)

    def _listing(self) -> Listing:
        return Listing(self._include, self._exclude, self._written, "objects")

    def _unmatched(self, listing: Listing) -> Iterator[Remark]:
        return (Remark(words, "include", self._number) for words in listing.unmatched())

    def remember(self, images: Iterable[Image]) -> None:
        self._etags.load()
        for image in images:
            etag, path = _located(image)
            if self._etags.find(path, etag, image.size) is None:
                self._etags.add(path, etag, _told(image))
        self._etags.save()

    def read(self, image: Image) -> bytes:
        try:
            data = self._bucket.get(_located(image)[1], most=MAX_BYTES)
        except ObjectFault as error:
            if error.reason in (Reason.MISSING, Reason.CHANGED):
                raise StaleImage(_stale(image, "can no longer be read")) from None
            if error.reason is Reason.PASSING:
                words = f"{image.name} cannot be read now: {error.words}"
                raise SourceUnavailable(words) from None
            raise OSError(errno.EIO, str(error)) from None
        if hashlib.sha256(data).hexdigest() != image.sha256:
            raise StaleImage(_stale(image, "changed after it was planned"))
        return data

    def public_url(self, image: Image) -> str:
        """A signed URL where the recipe says `delivery: presign`."""
        if self._delivery != "url":
            return ""
        try:
            return self._bucket.presign(_located(image)[1], URL_SECONDS)
        except ObjectFault as error:
            raise OSError(errno.EIO, str(error)) from None

    def reader(self, image: Image) -> Callable[[], bytes] | None:
        """A signed URL of this object for some minutes: workers need no credentials of the store. None where
        the store's credentials sign nothing."""
        try:
            url = self._bucket.presign(_located(image)[1], READER_SECONDS)
        except ObjectFault:
            return None
        return partial(apart.get, url, MAX_BYTES)

    def close(self) -> None:
        """Nothing is held between calls."""

    def _is_meant(self, listing: Listing, path: str) -> bool:
        return not self._avoided(path) and listing.means(path)

    def _lies_beside(self, listing: Listing, path: str) -> bool:
        """Whether an object that is not meant is an image, or belongs to images, and was not excluded."""
        return belongs_to_images(path) and not (listing.excludes(path) or self._avoided(path))

    def _avoided(self, path: str) -> bool:
        return any(path.startswith(folder) for folder in self._avoid)

    def _examined(self, item: _Object) -> Image | Rejected | PassedOver:
        try:
            known = self._known(item)
        except BadImage as error:
            return unusable(item.path, error, self._number)
        except ObjectFault as error:
            if error.reason not in _OF_THE_OBJECT:
                raise
            return Rejected(item.path, str(error), self._number)
        self._etags.add(item.path, item.etag, known)
        return self._image(item.path, item.etag, known)

    def _known(self, item: _Object) -> Known:
        if not item.size:
            raise BadImage("empty", None)
        if item.size > MAX_BYTES:
            raise BadImage(f"larger than {MAX_BYTES >> 20} MiB: make it smaller")
        return self._apart(item) or _examined(self._bucket.get(item.path, item.etag, MAX_BYTES))

    def _apart(self, item: _Object) -> Known | None:
        """What a worker says of the object as it was listed; None: it is read here."""
        if self._ask is None or not item.etag:
            return None
        try:
            url = self._bucket.presign(item.path, READER_SECONDS)
        except ObjectFault:
            return None
        known = self._ask(Task("examine", _examined_apart, (url, item.etag)))
        return known if known and known.size == item.size else None

    def _image(self, path: str, etag: str, known: Known) -> Image:
        return known.image(path, self._number, f"{etag} {path}", self._delivery)


def _examined(data: bytes) -> Known:
    """Raises BadImage."""
    probed = probe(data)
    digest = hashlib.sha256(data).hexdigest()
    return Known(digest, len(data), probed.width, probed.height, probed.media_type)


def _examined_apart(url: str, etag: str) -> Known:
    """Done by a worker. Raises TaskRefused for whatever the run had better look at itself."""
    try:
        return _examined(apart.get(url, MAX_BYTES, etag))
    except (OSError, BadImage) as problem:
        raise TaskRefused(f"a worker could not read an object ({problem})") from None


def _without_folders(found: list[_Object]) -> Iterator[_Object]:
    """Consoles and Hadoop make empty objects to stand for folders: with something in them or not, they
    are no images. The library shows their names without the slash at the end."""
    parents = {item.path.rpartition("/")[0] for item in found}
    return (
        item
        for item in found
        if item.size or not (item.path in parents or _FILES.search(item.path) is None)
    )


def _folders_to_avoid(place: Address, uris: tuple[str, ...]) -> tuple[str, ...]:
    """Where sinks write, below `place`. Raises UsageError where that is all of it."""
    folders = []
    for uri in uris:
        sink = address(uri)
        if (sink.scheme, sink.bucket) != (place.scheme, place.bucket):
            continue
        if f"{place.prefix}/".startswith(f"{sink.prefix}/" if sink.prefix else ""):
            raise UsageError(
                f"a sink writes to {sink}, where this source reads, so its results would become "
                "inputs of the next run; use a separate prefix for the sink"
            )
        above = f"{place.prefix}/" if place.prefix else ""
        if sink.prefix.startswith(above):
            folders.append(sink.prefix.removeprefix(above) + "/")
    return tuple(folders)


def _located(image: Image) -> tuple[str, str]:
    """ETag (which holds no space) and path of an image."""
    etag, _, path = image.locator.partition(" ")
    return etag, path


def _told(image: Image) -> Known:
    return Known(image.sha256, image.size, image.width, image.height, image.media_type)


def _stale(image: Image, what: str) -> str:
    return f"{image.name} {what}; run again to use its current content"
