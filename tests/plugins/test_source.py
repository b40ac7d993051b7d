from __future__ import annotations

from collections.abc import Iterator

from relightflow.model.image import Image
from relightflow.plugins.source import HasPublicUrl, Remembers, Source


class Plain:
    """What every source has, and nothing else."""

    def scan(self) -> Iterator[Image]:
        yield from ()

    def read(self, image: Image) -> bytes:
        return image.name.encode()

    def close(self) -> None: ...


class Able(Plain):
    def public_url(self, image: Image) -> str:
        return f"https://store.example/{image.name}"

    def remember(self, images: object) -> None: ...


def test_what_a_source_can_do_beside_reading_is_told_by_its_methods() -> None:
    plain: Source = Plain()
    able: Source = Able()
    assert not isinstance(plain, HasPublicUrl | Remembers)
    assert isinstance(able, HasPublicUrl)
    assert isinstance(able, Remembers)
