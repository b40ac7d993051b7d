"""The protocol of a source: where images come from.

Both methods block; relightflow calls them outside the event loop. Anything that a source finds and
cannot use is yielded as `Rejected`, never raised, so that one bad file does not stop the others; what is
no image at all may be yielded as `PassedOver`, which is counted and fails nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, runtime_checkable

from relightflow.model.image import Found, Image


class Source(Protocol):
    def scan(self) -> Iterator[Found]:
        """Every image, lazily, in an order that depends on nothing but the source's content.

        Raises `UsageError` where the source as a whole cannot be read, `RefusedError` where a safety
        rule forbids it.
        """

    def read(self, image: Image) -> bytes:
        """The bytes of an image that `scan` yielded, perhaps in an earlier process.

        Raises `StaleImage` where they are no longer those that were hashed, or are gone,
        `SourceUnavailable` where another time may do.
        """

    def close(self) -> None:
        """Called once at the end."""


URL_SECONDS = 3600
"""How long a URL of `public_url` must work: a queued job reads it late."""


@runtime_checkable
class HasPublicUrl(Protocol):
    """A source that can let the backend fetch an image itself (`Image.delivery` is `url`)."""

    def public_url(self, image: Image) -> str:
        """A URL that gives the image's bytes to anybody for the next `URL_SECONDS`.

        Asked for just before calls are made, and again while they run. It is handed to the backend
        and nowhere else: it is never written down. Blocks; raises OSError, StaleImage.
        """


READER_SECONDS = 900
"""How long what `reader` gives must work: a task may wait for a worker."""


@runtime_checkable
class HasReader(Protocol):
    """A source whose images can be read by another machine that sees the same files."""

    def reader(self, image: Image) -> Callable[[], bytes] | None:
        """What gives the image's bytes in another process; it can be pickled, and bears no secret but one
        that is needed for this image. It may raise anything; what comes is held against the image's
        sha256. A URL in it must work for `READER_SECONDS`. None: only this process can. Asked for once for all
        jobs of an image, in a thread."""


@runtime_checkable
class Remembers(Protocol):
    """A source that keeps notes, so that what did not change is not read again."""

    def remember(self, images: Iterable[Image]) -> None:
        """Note what `scan` found. Called at the start of a run with the source's own images of the
        plan: the first plan of a project is made before there is a folder for notes."""


class StaleImage(Exception):
    """The image changed or vanished since it was planned; the message says which and what to do."""


class SourceUnavailable(StaleImage):
    """The image cannot be read for now: its server is away, or asks for patience. It stays planned, and
    the run ends with exit code 75; the message says which image and why."""
