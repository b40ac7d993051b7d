"""One run on the page, and where the bytes of its images are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from relightflow.gallery.entries import Entry, Input, ManifestHead, Unused
from relightflow.model.money import Micros
from relightflow.model.values import Scalar

Full = Literal["link", "copy", "none"]
"""What becomes of the full images."""


class GalleryImages(Protocol):
    """Gives the images of a run. Methods block and are called by several threads."""

    def result(self, entry: Entry) -> bytes | None:
        """The result's bytes; None where they are not on this machine."""

    def result_file(self, entry: Entry) -> Path | None:
        """An absolute path where a browser finds the result; None where there is none."""

    def input(self, image: Input) -> bytes | None:
        """The input image's bytes; None where they are not on this machine."""

    def input_file(self, image: Input) -> Path | None:
        """An absolute path where a browser finds the input image."""


@dataclass(frozen=True, slots=True)
class GalleryRun:
    head: ManifestHead
    entries: Sequence[Entry]
    unused: Sequence[Unused]
    manifest_sha256: str
    images: GalleryImages
    known: Mapping[str, Sequence[Scalar]] = field(default_factory=dict)
    """Axis → its values in the recipe's order, where the recipe is known."""


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What one image would cost elsewhere."""

    backend: str
    model: str
    low: Micros
    high: Micros
