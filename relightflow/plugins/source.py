"""The protocol of a source: where images come from.

Both methods block; relightflow calls them outside the event loop. Anything that a source finds and
cannot use is yielded as `Rejected`, never raised, so that one bad file does not stop the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from relightflow.model.image import Image, Rejected


class Source(Protocol):
    def scan(self) -> Iterator[Image | Rejected]:
        """Every image, lazily, in an order that depends on nothing but the source's content.

        Raises `UsageError` where the source as a whole cannot be read, `RefusedError` where a safety
        rule forbids it.
        """

    def read(self, image: Image) -> bytes:
        """The bytes of an image that `scan` yielded, perhaps in an earlier process.

        Raises `StaleImage` where they are no longer those that were hashed, or are gone.
        """

    def close(self) -> None:
        """Called once at the end."""


class StaleImage(Exception):
    """The image changed or vanished since it was planned; the message says which and what to do."""
