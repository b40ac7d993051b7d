from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from relightflow.images import BadImage
from relightflow.model.failure import CallFailed, FailureKind
from relightflow.model.image import Image
from relightflow.plugins.source import SourceUnavailable, StaleImage
from relightflow.run.input_cache import RENEWED, InputCache
from relightflow.run.lazy_backend import LazyBackend
from tests.scripted_backend import png

SHA = sha256(png("a")).hexdigest()


class Fetching:
    """A backend that notes by which URL it was given each image."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    async def open(self) -> None: ...

    async def close(self) -> None: ...

    async def prepare(self, image: Image, data: bytes) -> Any:
        self.urls.append(image.url)
        return image.url


async def _nothing(_: object) -> None: ...


class Signing:
    """A source whose URLs are new each time."""

    def __init__(self) -> None:
        self.made = 0
        self.now = 0.0

    def url(self, image: Image) -> str:
        self.made += 1
        return f"https://store.example/{image.name}?signature={self.made}"


def _image(delivery: str) -> Image:
    return Image("a.png", SHA, 9, 2, 2, "image/png", 0, "a.png", delivery)


@pytest.fixture
def backend() -> Fetching:
    return Fetching()


@pytest.fixture
def source() -> Signing:
    return Signing()


@pytest.fixture
def inputs(backend: Fetching, source: Signing) -> InputCache:
    ondemand = LazyBackend(lambda: backend, _nothing)  # type: ignore[arg-type,return-value]  # only prepares
    return InputCache(ondemand, lambda _: png("a"), source.url, lambda: source.now)


async def test_a_signed_url_is_made_when_the_image_is_prepared(
    inputs: InputCache, backend: Fetching
) -> None:
    await inputs.prepared(_image("url"))
    await inputs.prepared(_image("url"))
    assert backend.urls == ["https://store.example/a.png?signature=1"]


async def test_a_signed_url_is_made_anew_before_it_could_expire(
    inputs: InputCache, backend: Fetching, source: Signing
) -> None:
    await inputs.prepared(_image("url"))
    source.now = RENEWED + 1
    await inputs.prepared(_image("url"))
    assert [url[-1] for url in backend.urls] == ["1", "2"]


async def test_no_url_is_made_for_an_image_that_is_uploaded(
    inputs: InputCache, source: Signing
) -> None:
    await inputs.prepared(_image(""))
    assert source.made == 0


async def test_a_store_that_is_away_fails_the_job_unbilled(backend: Fetching) -> None:
    def away(_: Image) -> str:
        raise OSError(5, "the store did not answer")

    ondemand = LazyBackend(lambda: backend, _nothing)  # type: ignore[arg-type,return-value]  # only prepares
    inputs = InputCache(ondemand, lambda _: png("a"), away)
    with pytest.raises(CallFailed) as caught:
        await inputs.prepared(_image("url"))
    assert caught.value.failure.kind is FailureKind.BAD_IMAGE
    assert "the store did not answer" in caught.value.failure.message


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (SourceUnavailable("a.png cannot be downloaded now"), FailureKind.UNSENT),
        (StaleImage("a.png changed"), FailureKind.BAD_IMAGE),
    ],
)
async def test_an_image_that_cannot_be_had_now_is_not_a_bad_one(
    backend: Fetching, raised: Exception, kind: FailureKind
) -> None:
    def read(_: Image) -> bytes:
        raise raised

    cache = InputCache(LazyBackend(lambda: backend, _nothing), read)  # type: ignore[arg-type,return-value]  # as above
    with pytest.raises(CallFailed, match=str(raised)) as caught:
        await cache.prepared(_image("upload"))
    assert caught.value.failure.kind is kind
    await cache.close()


async def test_what_is_cut_short_never_reaches_the_backend(backend: Fetching) -> None:
    def verify(_: bytes) -> None:
        raise BadImage("the PNG is truncated: copy or download it again")

    ondemand = LazyBackend(lambda: backend, _nothing)  # type: ignore[arg-type,return-value]  # only prepares
    inputs = InputCache(ondemand, lambda _: png("a"), verify=verify)
    with pytest.raises(CallFailed) as caught:
        await inputs.prepared(_image(""))
    assert caught.value.failure.message == (
        "a.png: the PNG is truncated: copy or download it again; not sent, not billed"
    )
    assert backend.urls == []
