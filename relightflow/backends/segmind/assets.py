"""How an image reaches the provider: an uploaded copy, inside the request, or its own public URL.

An uploaded copy is remembered by its content's sha256 and used again in later runs for as long as
the provider serves it. Nothing here is billed.
"""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from relightflow.backends.history.matching import digest
from relightflow.backends.http.client import UPLOAD_SECONDS
from relightflow.backends.http.download import Downloads
from relightflow.backends.http.hosts import refusal
from relightflow.backends.http.response import mapping
from relightflow.backends.segmind import responses
from relightflow.backends.segmind.hosts import SegmindApi
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.plugins.backend import Memory

NOTICE = (
    "images are uploaded to Segmind and get a public address that cannot be revoked; "
    "`delivery: inline` sends them inside each request instead"
)
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
class Assets:
    api: SegmindApi
    downloads: Downloads
    memory: Memory
    notice: Callable[[str], None]
    """Says a thing once."""
    delivery: str
    model: str

    async def prepare(self, image: Image, data: bytes) -> PreparedInput:
        """Raises `CallFailed`, never billed."""
        delivery = image.delivery or self.delivery
        if delivery in ("url", "presign"):
            return self._public(image)
        if delivery == "inline":
            return prepared(await _data_uri(image.media_type, data))
        return await self._uploaded(image, data)

    async def forget(self, given: PreparedInput) -> None:
        """The provider could not use the copy: the next run uploads it again."""
        if given.remembered:
            await self.memory.forget(given.remembered)

    def _public(self, image: Image) -> PreparedInput:
        why = (
            "its source has none"
            if not image.url
            else refusal(self.api.hosts, image.url, listed=False)
        )
        if why:
            words = f"{image.name!r} has no usable public URL: {why}. Use `delivery: upload`"
            raise CallFailed(Failure(FailureKind.BAD_IMAGE, words))
        return prepared(image.url)

    async def _uploaded(self, image: Image, data: bytes) -> PreparedInput:
        key = f"asset {self.api.hosts.assets} {image.sha256}"
        url = self.memory.recall(key)
        if url is None or not await self.downloads.serves(url):
            self.notice(NOTICE)
            url = await self._upload(await _data_uri(image.media_type, data))
            await self.memory.remember(key, url)
        return prepared(url, key)

    async def _upload(self, uri: str) -> str:
        answer = await self.api.read(
            "POST",
            self.api.hosts.upload,
            "uploading an image",
            body={"data_urls": [uri]},
            seconds=UPLOAD_SECONDS,
        )
        if answer.status != 200:
            raise CallFailed(_refused(responses.of_upload(answer, "v2", self.model)))
        found = mapping(answer.body)
        urls = found.get("file_urls") or found.get("urls")
        url = urls[0] if isinstance(urls, list) and urls else None
        if not isinstance(url, str):
            raise CallFailed(
                Failure(FailureKind.UNAVAILABLE, "Segmind accepted the upload but returned no URL")
            )
        if why := refusal(self.api.hosts, url, listed=False):
            words = f"Segmind returned a URL for the upload that is not allowed: {why}"
            raise CallFailed(Failure(FailureKind.REFUSED_SAFETY, words))
        return url


def prepared(value: str, remembered: str = "") -> PreparedInput:
    return PreparedInput(value, digest(value), remembered)


async def _data_uri(media_type: str, data: bytes) -> str:
    """The very bytes, in base64."""
    encode = base64.b64encode
    coded = encode(data) if len(data) < _SMALL else await asyncio.to_thread(encode, data)
    return f"data:{media_type};base64,{coded.decode()}"


def _refused(failure: Failure) -> Failure:
    """What a refused upload means: it costs nothing and says nothing about parameters or model."""
    kind = {
        FailureKind.REFUSED_CELL: FailureKind.BAD_IMAGE,
        FailureKind.JOB_FAILED: FailureKind.BAD_IMAGE,
        FailureKind.REFUSED_MODEL: FailureKind.UNAVAILABLE,
        FailureKind.UNKNOWN: FailureKind.UNAVAILABLE,
    }.get(failure.kind, failure.kind)
    words = f"the image was not accepted: {failure.message}"
    if failure.kind in (FailureKind.REFUSED_MODEL, FailureKind.UNKNOWN):
        words = f"the image could not be uploaded (status {failure.status}); nothing was billed"
    return dataclasses.replace(failure, kind=kind, message=words, billed=Billed.NO, kept=b"")
