"""What input images say of themselves, for results that say nothing: read once an image, and kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import replace
from threading import Lock

from relightflow.images.metadata import Metadata, metadata
from relightflow.model.image import Image
from relightflow.plugins.sink import SinkFailed
from relightflow.plugins.source import StaleImage

_KEPT = 256
"""Images whose metadata is kept, a few hundred bytes each; plans are ordered by image."""


class InputMetadata:
    """Methods may be called in several threads."""

    def __init__(self, read: Callable[[Image], bytes], srgb: Collection[str] = ()) -> None:
        """`read`: an image's bytes. `srgb`: backends whose results are not in the input's colour space."""
        self._read = read
        self._srgb = frozenset(srgb)
        self._known: OrderedDict[tuple[str, bool], Metadata] = OrderedDict()
        self._lock = Lock()

    def of(self, image: Image, everything: bool, backend: str = "") -> Metadata:
        """Author and copyright, or `everything` that is ever kept, for a result of `backend`. Blocks. Raises
        SinkFailed."""
        found = self._of(image, everything)
        return replace(found, profile=b"") if backend in self._srgb else found

    def _of(self, image: Image, everything: bool) -> Metadata:
        key = (image.sha256, everything)
        with self._lock:
            if key in self._known:
                return self._known[key]
        try:
            found = metadata(self._read(image), everything)
        except (StaleImage, OSError) as error:
            raise SinkFailed(
                f"the copyright of {image.name} could not be read ({error}); `metadata: strip` "
                "delivers without it"
            ) from error
        with self._lock:
            self._known[key] = found
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found
