"""The fal backend: one submit is one billable POST to fal's queue, everything after it is free.

Joins the parts of this folder to the protocol of `relightflow.plugins.backend`; see
docs/reference/fal.md for what it does on the wire.
"""

from __future__ import annotations

import asyncio
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from relightflow.backends.fal import hosts, models, queue, responses
from relightflow.backends.fal.history import FalHistory
from relightflow.backends.fal.hosts import FalApi
from relightflow.backends.history.lookup import look_up
from relightflow.backends.history.matching import DIGEST
from relightflow.backends.http import sessions
from relightflow.backends.http.client import UPLOAD_SECONDS
from relightflow.backends.http.download import Downloads, exempt, fetch_apart
from relightflow.backends.http.hosts import refusal
from relightflow.backends.http.inputs import Inputs, PreparedInput
from relightflow.backends.http.key import KeyRing
from relightflow.backends.http.polling import ClockFunctions, PollSchedule
from relightflow.backends.http.response import mapping
from relightflow.core.redact import register
from relightflow.errors import RefusedError
from relightflow.images import BadImage, probe
from relightflow.model.evidence import SERVER_TIME, Evidence
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import Accepted, Completed, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.network import apart
from relightflow.plugins.backend import Backend, BillRow, Call, RecordsQuery, Retry, Send
from relightflow.plugins.executor import TaskRefused
from relightflow.plugins.records import BackendContext

RING = KeyRing("fal", "FAL_KEY")


@dataclass(frozen=True, slots=True)
class _Connected:
    """What exists between `open` and `close`."""

    api: FalApi
    downloads: Downloads
    inputs: Inputs
    poller: queue.FalPoller
    history: FalHistory


class Fal(Backend):
    """Implements Backend, HasFetcher, HasHistory, HasIntentDetails, HasServerTime and HasUploader."""

    def __init__(
        self,
        context: BackendContext,
        key: Callable[[Callable[[str], None]], str],
        where: hosts.FalHosts,
        clock: ClockFunctions | None = None,
    ) -> None:
        self._context = context
        self._read_key = key
        self._hosts = where
        self._clock = clock or ClockFunctions()
        self._told: set[str] = set()
        self._parts: _Connected | None = None
        self._hosts_check: asyncio.Task[None] | None = None

    @classmethod
    def from_environment(cls, context: BackendContext) -> Fal:
        """Raises `UsageError` for an override that is no server's address."""
        where = hosts.from_environment(os.environ, context.operator.output_hosts)
        return cls(context, RING.read, where)

    async def open(self) -> None:
        if self._context.operator.offline:
            raise RefusedError("the backend fal needs the network, and --offline is set")
        key = self._read_key(self._tell)
        api = FalApi(sessions.api_session(), self._hosts, key)
        private = self._context.operator.allow_private_network
        session = sessions.download_session(*exempt(self._hosts), private=private)
        downloads = Downloads(session, self._hosts)
        clock = self._clock
        self._parts = _Connected(
            api,
            downloads,
            Inputs(
                self._hosts,
                downloads,
                self._context.memory,
                self._tell,
                self._context.options.get("delivery", "upload"),
                self._upload,
                self._hosts.uploads,
            ),
            queue.FalPoller(
                api, PollSchedule(), self._tell, clock.sleep, clock.monotonic, clock.wall
            ),
            FalHistory(api, forgets=math.isinf(self._hosts.settling)),
        )
        if self._hosts.override:
            self._tell(f"{hosts.OVERRIDE} is set: {self._hosts.override} is used instead of fal")

    async def close(self) -> None:
        parts, self._parts = self._parts, None
        if self._hosts_check is not None:
            self._hosts_check.cancel()
            await asyncio.gather(self._hosts_check, return_exceptions=True)
        if parts is not None:
            await parts.api.session.close()
            await parts.downloads.session.close()

    async def prepare(self, image: Image, data: bytes) -> PreparedInput:
        """Refuses what is no image before anything is sent: fal may bill such a call."""
        try:
            probe(data)
        except BadImage as bad:
            words = f"{image.name} cannot be relit: {bad.reason}"
            raise CallFailed(Failure(FailureKind.BAD_IMAGE, words)) from bad
        await self._result_hosts_checked()
        return await self._now.inputs.prepare(image, data)

    async def _result_hosts_checked(self) -> None:
        """Once a run, whoever comes first; all wait for the same look. Raises CallFailed."""
        check = self._hosts_check
        if check is None or (check.done() and (check.cancelled() or check.exception())):
            check = self._hosts_check = asyncio.ensure_future(self._now.downloads.check_hosts())
        await asyncio.shield(check)

    async def _upload(self, image: Image, data: bytes) -> str:
        """The URL of an uploaded copy. The key gets a short-lived token, and only that goes to the
        storage. Raises `CallFailed`, never billed."""
        api, doing = self._now.api, "uploading an image"
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
        return await self._now.inputs.prepare_apart(image, lambda: self._upload_apart(image, send))

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
        if not await self._now.downloads.serves(url):
            raise TaskRefused("fal does not have what a worker uploaded")
        return url

    async def _free(self, method: str, url: str, doing: str, body: dict[str, object]) -> FrozenMap:
        answer = await self._now.api.read(method, url, doing, body=body)
        if answer.status != 200:
            raise CallFailed(responses.of_read(answer, doing))
        return FrozenMap(mapping(answer.body))

    def intent_details(self, call: Call) -> FrozenMap:
        """What the history is searched by, should this call's answer get lost."""
        given: PreparedInput = call.prepared
        now = self.server_time()
        facts = {DIGEST: given.digest, "inline": given.value.startswith("data:")}
        return FrozenMap(facts if now is None else facts | {SERVER_TIME: round(now, 3)})

    def server_time(self) -> float | None:
        return self._now.api.server_time()

    async def submit(self, call: Call) -> Step:
        given: PreparedInput = call.prepared
        model = models.model(call.job.model)
        if model is None:
            words = f"fal's table has no model '{call.job.model}'"
            raise CallFailed(Failure(FailureKind.REFUSED_MODEL, words))
        inputs = {models.IMAGE_FIELD: given.value, **call.job.parameters}
        return await queue.submit(self._now.api, model.name, inputs, self._clock.wall())

    async def collect(self, step: Step) -> Step:
        if isinstance(step, Accepted):
            return await self._now.poller.result(step)
        if isinstance(step, ResultKnown):
            try:
                data = await self._now.downloads.fetch(step.url)
            except CallFailed as lost:
                failure = replace(lost.failure, cost=step.cost, request_id=step.request_id)
                raise CallFailed(failure) from None
            return Completed(data, step.cost, step.request_id, step.details)
        return step

    def fetcher(self, step: ResultKnown) -> Callable[[], bytes]:
        private = self._context.operator.allow_private_network
        return partial(fetch_apart, self._hosts, private, step.url)

    async def look_up(self, query: RecordsQuery, retry: Retry) -> Evidence:
        """As every backend with a history. A call that the history lacks may still wait for a runner, or
        run: that time is added to what records may lag."""
        lag = max(query.lag, queue.START_SECONDS + queue.RUN_SECONDS)
        query = replace(query, lag=min(lag, self._hosts.settling))
        return await look_up(self._now.history, query, retry)

    async def bill(self, since: float, until: float, retry: Retry) -> Sequence[BillRow]:
        return await self._now.history.bill(since, until, retry)

    @property
    def _now(self) -> _Connected:
        assert self._parts is not None, "open() comes first"
        return self._parts

    def _tell(self, words: str) -> None:
        if words not in self._told:
            self._told.add(words)
            self._context.notice(words)


def _file_name(image: Image) -> str:
    """Of an uploaded copy; says nothing of the file that it was."""
    return f"{image.sha256}.{image.media_type.rpartition('/')[2]}"
