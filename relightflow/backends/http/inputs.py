"""How an image reaches the provider: an uploaded copy, inside the request, or its own public URL.

An uploaded copy is remembered by its content's sha256 and used again in later runs for as long as
the provider serves it. Nothing here is billed.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from relightflow.backends.http.download import Downloads
from relightflow.backends.http.hosts import ProviderHosts, refusal
from relightflow.images import BadImage, probe
from relightflow.model.evidence import digest
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.plugins.backend import Memory

_SMALL = 1 << 18


@dataclass(frozen=True, slots=True)
class PreparedInput:
    """An image as the request carries it."""

    value: str
    """A URL or a data URI; perhaps a secret."""
    digest: str
    """sha256 of `value`: what the ledger may hold, and the history is searched by."""
    remembered: str = ""
    """The notes's key, where `value` is an uploaded copy."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """How one backend's images get to its provider."""

    hosts: ProviderHosts
    downloads: Downloads
    memory: Memory
    notice: Callable[[str], None]
    """Says a thing once."""
    delivery: str
    """`upload`, `inline`, `url` or `presign`."""
    upload: Callable[[Image, bytes], Awaitable[str]]
    """Uploads the bytes and gives the URL. Raises `CallFailed`, never billed."""
    place: str
    """Where uploads go: what is remembered of one place says nothing of another."""

    async def prepare(self, image: Image, data: bytes) -> PreparedInput:
        """Raises `CallFailed`, never billed."""
        delivery = image.delivery or self.delivery
        if delivery in ("url", "presign"):
            return self._public(image)
        if delivery == "inline":
            return prepared(await data_uri(image.media_type, data))
        return await self._uploaded(image, lambda: self.upload(image, data))

    async def prepare_apart(
        self, image: Image, upload: Callable[[], Awaitable[str]]
    ) -> PreparedInput | None:
        """The same where another machine uploads the bytes: `upload` has it do so, and gives the URL. None:
        nothing is uploaded, so `prepare` must be asked. Raises `CallFailed`, and what `upload` raises."""
        if (image.delivery or self.delivery) != "upload":
            return None
        return await self._uploaded(image, upload)

    async def forget(self, given: PreparedInput) -> None:
        """The provider could not use the copy: the next run uploads it again."""
        if given.remembered:
            await self.memory.forget(given.remembered)

    def _public(self, image: Image) -> PreparedInput:
        why = (
            "its source has none" if not image.url else refusal(self.hosts, image.url, listed=False)
        )
        if why:
            words = f"{image.name!r} has no usable public URL: {why}. Use `delivery: upload`"
            raise CallFailed(Failure(FailureKind.BAD_IMAGE, words))
        return prepared(image.url)

    async def _uploaded(self, image: Image, upload: Callable[[], Awaitable[str]]) -> PreparedInput:
        key = f"asset {self.place} {image.sha256}"
        url = self.memory.recall(key)
        if url is None or not await self.downloads.serves(url):
            self.notice(
                f"images are uploaded to {self.hosts.provider} and {self.hosts.exposure}; `delivery: "
                "inline` sends them inside each request instead"
            )
            url = await upload()
            if why := refusal(self.hosts, url, listed=False):
                words = f"{self.hosts.provider} returned a URL for the upload that is not allowed: {why}"
                raise CallFailed(Failure(FailureKind.REFUSED_SAFETY, words))
            await self.memory.remember(key, url)
        return prepared(url, key)


def check_is_image(image: Image, data: bytes) -> None:
    """Raise `CallFailed` where `data` cannot be decoded: some providers bill a call with such a thing."""
    try:
        probe(data)
    except BadImage as bad:
        words = f"{image.name} cannot be relit: {bad.reason}"
        raise CallFailed(Failure(FailureKind.BAD_IMAGE, words)) from bad


def prepared(value: str, remembered: str = "") -> PreparedInput:
    return PreparedInput(value, digest(value), remembered)


async def data_uri(media_type: str, data: bytes) -> str:
    """The very bytes, in base64."""
    encode = base64.b64encode
    coded = encode(data) if len(data) < _SMALL else await asyncio.to_thread(encode, data)
    return f"data:{media_type};base64,{coded.decode()}"
