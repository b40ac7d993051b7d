"""The fal backend: one submit is one billable POST to fal's queue, everything after it is free.

Joins the parts of this folder to the protocol of `relightflow.plugins.backend`; see
docs/reference/fal.md for what it does on the wire.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from relightflow.backends.fal import models, queue, responses
from relightflow.backends.fal.history import FalHistory
from relightflow.backends.fal.hosts import FalHosts
from relightflow.backends.history.backend import QueueBackend
from relightflow.backends.http.client import UPLOAD_SECONDS
from relightflow.backends.http.hosts import refusal
from relightflow.backends.http.inputs import PreparedInput, check_is_image
from relightflow.backends.http.key import KeyRing
from relightflow.backends.http.response import mapping
from relightflow.backends.table import ModelRow
from relightflow.core.redact import register
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import Step
from relightflow.network import apart
from relightflow.plugins.backend import Call, Send
from relightflow.plugins.executor import TaskRefused


class Fal(QueueBackend[FalHosts, ModelRow]):
    """Implements Backend, HasFetcher, HasHistory, HasIntentDetails, HasServerTime and HasUploader."""

    _usual = FalHosts()
    _ring = KeyRing("fal", "FAL_KEY")
    _poller_type = queue.FalPoller
    _records_type = FalHistory
    _slowest = queue.START_SECONDS + queue.RUN_SECONDS
    """A call that the history lacks may still wait for a runner, or run."""
    _table = models.TABLE

    async def _greet(self) -> None:
        """So that even the first call is dated: without the provider's time its absence is never proven."""
        await self._probe()

    @property
    def _upload_place(self) -> str:
        return self._hosts.uploads

    async def prepare(self, image: Image, data: bytes) -> PreparedInput:
        """Refuses what is no image before anything is sent: fal may bill such a call."""
        check_is_image(image, data)
        return await super().prepare(image, data)

    async def _upload(self, image: Image, data: bytes) -> str:
        """The URL of an uploaded copy. The key gets a short-lived token, and only that goes to the
        storage. Raises `CallFailed`, never billed."""
        api, doing = self._api, "uploading an image"
        token = await self._free("POST", self._hosts.upload_token, doing, {})
        kind, secret = token.get("token_type"), token.get("token")
        if not (isinstance(kind, str) and isinstance(secret, str) and f"{kind}{secret}".isascii()):
            words = "fal gave no token for the upload; nothing was billed"
            raise CallFailed(Failure(FailureKind.UNAVAILABLE, words))
        register(secret)
        headers = {
            "Authorization": f"{kind} {secret}",
            "Content-Type": image.media_type,
            "X-Fal-File-Name": _file_name(image),
        }
        answer = await api.read(
            "POST", self._hosts.upload, doing, content=data, headers=headers, seconds=UPLOAD_SECONDS
        )
        url = mapping(answer.body).get("access_url")
        if answer.status == 200 and isinstance(url, str):
            return url
        words = f"the image could not be uploaded (status {answer.status}); nothing was billed"
        raise CallFailed(Failure(FailureKind.UNAVAILABLE, words, status=answer.status))

    async def prepare_apart(self, image: Image, send: Send[None]) -> PreparedInput | None:
        """As `prepare`, without the bytes; who uploads them is told the URL of this upload alone."""
        await self._result_hosts_checked()
        return await self._inputs.prepare_apart(image, lambda: self._upload_apart(image, send))

    async def _upload_apart(self, image: Image, send: Send[None]) -> str:
        """The URL of a copy that a worker uploads. Raises `CallFailed`, and what `send` raises.

        Source of the protocol: `initiateUpload` in fal's JavaScript client.
        """
        body: dict[str, object] = {"file_name": _file_name(image), "content_type": image.media_type}
        found = await self._free("POST", self._hosts.upload_start, "uploading an image", body)
        there, url = found.get("upload_url"), found.get("file_url")
        if not (isinstance(there, str) and isinstance(url, str)):
            words = "fal gave no URL for the upload; nothing was billed"
            raise CallFailed(Failure(FailureKind.UNAVAILABLE, words))
        if why := refusal(self._hosts, there, listed=False):
            words = f"fal returned a URL to upload to that is not allowed: {why}"
            raise CallFailed(Failure(FailureKind.REFUSED_SAFETY, words))
        await send(partial(apart.put, there, headers={"Content-Type": image.media_type}))
        if not await self._downloads.serves(url):
            raise TaskRefused("fal does not have what a worker uploaded")
        return url

    async def _free(
        self, method: str, url: str, doing: str, body: dict[str, object]
    ) -> dict[str, Any]:
        answer = await self._api.read(method, url, doing, body=body)
        return mapping(responses.VERDICTS.checked(answer, doing).body)

    async def submit(self, call: Call) -> Step:
        row, inputs = self._wire(call)
        return await queue.submit(self._api, row.model.name, inputs, self._clock.wall())


def _file_name(image: Image) -> str:
    """Of an uploaded copy; says nothing of the file that it was."""
    return f"{image.sha256}.{image.media_type.rpartition('/')[2]}"
