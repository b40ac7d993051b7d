"""The ComfyUI backend: uploads the image, queues the operator's workflow, and fetches what it saved.

A call's name is noted under its job before it is queued, and a job that has a note is looked for at the server
first: what a killed run had queued is collected by the next one, and made once.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from relightflow.backends.comfyui import graph
from relightflow.backends.comfyui.server import (
    URL,
    ComfyApi,
    ComfyuiHosts,
    Ended,
    from_environment,
)
from relightflow.backends.http import sessions
from relightflow.backends.http.download import Downloads
from relightflow.backends.http.polling import ClockFunctions, PollSchedule
from relightflow.errors import RefusedError
from relightflow.images import BadImage, probe
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import Accepted, Completed, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Backend, Call
from relightflow.plugins.declared import wire
from relightflow.plugins.records import BackendContext

_LONGEST_WAIT = 6 * 3600.0
_NOTE = "note"
"""Where a step's details hold what the backend's memory calls its job."""


@dataclass(frozen=True, slots=True)
class _OpenedServer:
    api: ComfyApi
    downloads: Downloads


class ComfyUI(Backend):
    """Implements Backend."""

    def __init__(
        self, context: BackendContext, where: ComfyuiHosts, clock: ClockFunctions | None = None
    ) -> None:
        self._context = context
        self._hosts = where
        self._clock = clock or ClockFunctions()
        self._wire: dict[str, Any] = wire(context.model)
        self._pace = PollSchedule()
        self._parts: _OpenedServer | None = None

    @classmethod
    def from_environment(cls, context: BackendContext) -> ComfyUI:
        """Raises `UsageError` for a server's address that is none."""
        return cls(context, from_environment(os.environ))

    async def open(self) -> None:
        if self._context.operator.offline:
            raise RefusedError("the backend comfyui needs the network, and --offline is set")
        host = urlsplit(self._hosts.api).hostname or ""
        api = ComfyApi(sessions.api_session(), self._hosts, "")
        self._parts = _OpenedServer(api, Downloads(sessions.download_session(host), self._hosts))

    async def close(self) -> None:
        parts, self._parts = self._parts, None
        if parts is not None:
            await parts.api.session.close()
            await parts.downloads.session.close()

    async def prepare(self, image: Image, data: bytes) -> str:
        """The name of the image at the server; made from its content, so that it is there once."""
        try:
            probe(data)
        except BadImage as bad:
            words = f"{image.name} cannot be relit: {bad.reason}"
            raise CallFailed(Failure(FailureKind.BAD_IMAGE, words)) from bad
        name = f"{image.sha256[:32]}.{image.media_type.rpartition('/')[2]}"
        try:
            return await self._now.api.upload(name, image.media_type, data)
        except CallFailed as error:
            if error.failure.kind is not FailureKind.UNSENT:
                raise
            words = f"ComfyUI cannot be reached at {self._hosts.api}: start it, or name its address in {URL}"
            raise CallFailed(replace(error.failure, message=words)) from None

    async def submit(self, call: Call) -> Step:
        api, note = self._now.api, f"call {self._hosts.api} {call.job.key}"
        prompt_id = self._context.memory.recall(note)
        if prompt_id is None or not await self._has(prompt_id):
            prompt_id = str(uuid.UUID(hex=call.name) if call.name else uuid.uuid4())
            await self._context.memory.remember(note, prompt_id)
            filled = graph.filled(self._wire, call.job.parameters, call.prepared)
            prompt_id = await api.submit(filled, prompt_id)
        details = {"submitted": self._clock.wall(), _NOTE: note}
        return Accepted(prompt_id, FrozenMap(details))

    async def _has(self, prompt_id: str) -> bool:
        """Whether the server has the call: waiting, at work, or ended well."""
        if await self._now.api.queued(prompt_id):
            return True
        ended = await self._now.api.ended(prompt_id, self._wire["output"])
        return ended is not None and ended.output is not None

    async def collect(self, step: Step) -> Step:
        if isinstance(step, Accepted):
            return await self._follow(step)
        if isinstance(step, ResultKnown):
            try:
                data = await self._now.downloads.fetch(step.url)
            except CallFailed as lost:
                failure = replace(lost.failure, cost=0, request_id=step.request_id)
                raise CallFailed(failure) from None
            await self._context.memory.forget(str(step.details.get(_NOTE, "")))
            return Completed(data, 0, step.request_id, step.details)
        return step

    async def _follow(self, step: Accepted) -> ResultKnown:
        began = self._clock.monotonic()
        for wait in self._pace.waits():
            await self._clock.sleep(wait)
            try:
                ended = await self._look(step.request_id)
            except CallFailed as failed:
                raise CallFailed(_still_open(failed.failure, step)) from None
            if ended is not None:
                self._pace.learn(self._clock.monotonic() - began)
                return self._result(ended, step)
            if self._clock.monotonic() - began > _LONGEST_WAIT:
                break
        words = "ComfyUI has not finished after hours; the next run looks again"
        raise CallFailed(
            Failure(FailureKind.PENDING, words, Billed.UNKNOWN, request_id=step.request_id)
        )

    async def _look(self, prompt_id: str) -> Ended | None:
        """How it ended; None: it waits or runs. Raises `CallFailed`: EXPIRED where it is gone."""
        node, api = self._wire["output"], self._now.api
        ended = await api.ended(prompt_id, node)
        if ended is not None or await api.queued(prompt_id):
            return ended
        await asyncio.sleep(0)
        ended = await api.ended(prompt_id, node)  # it may have ended between the two looks
        if ended is None:
            words = (
                "ComfyUI does not know the call (any more): it was restarted, or the call was deleted "
                "there"
            )
            raise CallFailed(
                Failure(FailureKind.EXPIRED, words, Billed.UNKNOWN, request_id=prompt_id)
            )
        return ended

    def _result(self, ended: Ended, step: Accepted) -> ResultKnown:
        if ended.error:
            words = f"ComfyUI ran the workflow and it failed: {ended.error}"
            raise CallFailed(Failure(FailureKind.JOB_FAILED, words, request_id=step.request_id))
        if ended.output is None:
            words = f"the workflow ended and its node '{self._wire['output']}' saved no image"
            raise CallFailed(Failure(FailureKind.JOB_FAILED, words, request_id=step.request_id))
        return ResultKnown(step.request_id, self._now.api.view(ended.output), 0, step.details)

    @property
    def _now(self) -> _OpenedServer:
        assert self._parts is not None, "open() comes first"
        return self._parts


def _still_open(failure: Failure, step: Accepted) -> Failure:
    """A failed look at a call: the call itself goes on."""
    passing = failure.kind in (FailureKind.UNSENT, FailureKind.UNAVAILABLE)
    return replace(
        failure,
        kind=FailureKind.PENDING if passing else failure.kind,
        billed=Billed.UNKNOWN,
        request_id=step.request_id,
    )
