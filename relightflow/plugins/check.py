"""The protocol of a check: says of each result whether it is what was paid for.

A check sees small copies of a result and of its input image, never the network, and changes nothing.
All results of one input image are judged together, because siblings say more than any threshold: the
same image in the other lights is the best measure of what one light did.

`measure` is called once for each result, in worker threads, several at a time; what it returns must
be small, because it is kept for all results of an input image. `judge` gets them in plan order. Both
must depend on nothing but their arguments and the options: verdicts stand in the manifest, which is
the same bytes for the same results.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from relightflow.model.check import CheckResult
from relightflow.model.job import Output


@dataclass(frozen=True, slots=True, eq=False)
class CheckImage:
    """An image as checks see it: small, upright, sRGB, on white where it is transparent."""

    rgb: Any
    """(height, width, 3) numpy uint8; the long side has at most 128 pixels."""
    luma: Any
    """(height, width) numpy uint8, brightness; the long side has at most 512 pixels."""
    alpha: Any
    """(height, width) numpy uint8 of the size of `rgb`, 255 is opaque; None: opaque everywhere."""
    width: int
    """Pixels of the image itself."""
    height: int
    """Pixels of the image itself."""
    media_type: str
    """`image/jpeg`, `image/png` or `image/webp`."""
    size: int
    """Bytes of the image itself."""


@dataclass(frozen=True, slots=True)
class CheckView:
    """One result, to be measured."""

    output: Output
    """Which image, cell and repeat it is."""
    result: CheckImage
    """The result."""
    source: CheckImage | None
    """The input image; None: it cannot be read here."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What `measure` said of one result."""

    output: Output
    """Which image, cell and repeat it is."""
    sha256: str
    """Of the result's bytes."""
    value: Any
    """What `measure` returned."""


class Check(Protocol):
    """A plugin's check may also have `basis`: a text that changes whenever a file changes that its
    verdicts depend on beside the results."""

    def measure(self, view: CheckView) -> Any:
        """What `judge` needs to know of a result: a few numbers, at most some kilobytes."""

    def judge(self, results: Sequence[Measured]) -> Sequence[CheckResult | None]:
        """One verdict for each, in their order; None where the check does not apply to it. `results`:
        all of one input image."""
