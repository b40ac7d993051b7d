"""The source kit sees what a careless source does wrong."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from relightflow.model.image import Image, Rejected
from relightflow.plugins.records import SourceContext, SourceRecord
from relightflow.plugins.source import Source, StaleImage
from relightflow.testing import check_source, sample_image_bytes
from relightflow.testing.samples import sample_image

SERIAL = itertools.count()


@dataclass
class Shelf:
    """A source of two fixed images that is right, until a subclass spoils one thing."""

    context: SourceContext

    def image(self, number: int) -> bytes:
        return (self.context.folder / f"{number}.png").read_bytes()

    def scan(self) -> Iterator[Image | Rejected]:
        for number in (0, 1):
            image = sample_image(self.image(number), f"{number}.png")
            yield replace(image, source=self.context.index, locator=str(number))

    def read(self, image: Image) -> bytes:
        data = self.image(int(image.locator))
        if sample_image(data).sha256 != image.sha256:
            raise StaleImage(f"{image.name} changed: run again")
        return data

    def close(self) -> None:
        """Nothing is held."""


class Listed(Shelf):
    def scan(self) -> Any:
        return list(super().scan())


class Spoiled(Shelf):
    """Every image as `spoil` makes it."""

    def spoil(self, image: Image) -> Image | Rejected:
        raise NotImplementedError

    def scan(self) -> Iterator[Image | Rejected]:
        for item in super().scan():
            assert isinstance(item, Image)
            yield self.spoil(item)


class WrongIndex(Spoiled):
    def spoil(self, image: Image) -> Image:
        return replace(image, source=0)


class WrongSize(Spoiled):
    def spoil(self, image: Image) -> Image:
        return replace(image, width=image.height)


class WrongName(Spoiled):
    def spoil(self, image: Image) -> Image:
        return replace(image, name=f"/home/{image.name}")


class Silent(Spoiled):
    def spoil(self, image: Image) -> Image | Rejected:
        return Rejected(image.name, "", image.source) if image.name == "1.png" else image


class Random(Spoiled):
    def spoil(self, image: Image) -> Image:
        return replace(image, locator=f"{image.locator} {next(SERIAL)}")


class Unchecked(Shelf):
    def read(self, image: Image) -> bytes:
        return self.image(int(image.locator))


class Bound(Shelf):
    """What reads its images cannot leave the process."""

    def reader(self, image: Image) -> Callable[[], bytes]:
        return lambda: self.read(image)


class Mistaken(Shelf):
    """What reads its images on another machine reads the first."""

    def reader(self, image: Image) -> Callable[[], bytes]:
        return partial(Path(self.context.folder, "0.png").read_bytes)


class Empty(Shelf):
    def scan(self) -> Iterator[Image | Rejected]:
        yield from ()


def check(source: type[Shelf], folder: Path, change: Callable[[Image], None] | None = None) -> None:
    for number in (0, 1):
        (folder / f"{number}.png").write_bytes(sample_image_bytes(number))

    def create(context: SourceContext) -> Source:
        return source(context)

    check_source(SourceRecord("shelf", "For tests", create), folder, {}, change)


def test_a_sound_source_passes(tmp_path: Path) -> None:
    def change(image: Image) -> None:
        (tmp_path / image.name).write_bytes(sample_image_bytes(9))

    check(Shelf, tmp_path, change)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Listed, "must be lazy"),
        (WrongIndex, "the context's index"),
        (WrongSize, "the source says"),
        (WrongName, "relative path"),
        (Silent, "without a reason"),
        (Random, "differ"),
        (Unchecked, "raise StaleImage"),
        (Bound, "cannot be pickled"),
        (Mistaken, "reads other bytes"),
        (Empty, "finds no image"),
    ],
)
def test_a_careless_source_is_told_what_it_does_wrong(
    tmp_path: Path, source: type[Shelf], words: str
) -> None:
    with pytest.raises(AssertionError, match=words):
        check(source, tmp_path)
