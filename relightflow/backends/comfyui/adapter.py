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

from relightflow.backends.comfyui import graph
from relightflow.backends.comfyui.server import (
    URL,
    ComfyApi,
    ComfyuiHosts,
    Ended,
    from_environment,
)
from relightflow.backends.http.backend import HttpBackend
from relightflow.backends.http.inputs import check_is_image
from relightflow.backends.http.polling import ClockFunctions
from relightflow.backends.http.queue import Finished, QueuePoller, Repeats
from relightflow.backends.http.response import Response
from relightflow.backends.http.verdicts import still_open
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import Accepted, Completed, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.plugins.backend import Call
from relightflow.plugins.declared import wire
from relightflow.plugins.records import BackendContext

_NOTE = "note"
"""Where a step's details hold what the backend's memory calls its job."""


@dataclass(frozen=True, slots=True)
class _ComfyuiPoller(QueuePoller[ComfyuiHosts]):
    """Follows queued calls to the file that they saved."""

    node: str
    """That saves the result."""

    longest = 6 * 3600.0
    waiting = ()

    def _own(self, answer: Response) -> bool:  # noqa: ARG002  nobody stands between
        return True

    def _known(self, step: Accepted) -> bool:  # noqa: ARG002  a server names a call as it likes
        return True

    async def _look(self, step: Accepted, repeats: Repeats) -> Finished | None:  # noqa: ARG002  one answer is enough here
        try:
            ended = await self._ended_how(step.request_id)
        except CallFailed as failed:
            if failed.failure.kind is FailureKind.EXPIRED:
                raise
            raise CallFailed(still_open(failed.failure, step.request_id)) from None
        return None if ended is None else Finished(self._result(ended, step))

    async def _ended_how(self, prompt_id: str) -> Ended | None:
        """How it ended; None: it waits or runs. Raises `CallFailed`: EXPIRED where it is gone."""
        node, api = self.node, self.api
        assert isinstance(api, ComfyApi)
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
            words = f"the workflow ended and its node '{self.node}' saved no image"
            raise CallFailed(Failure(FailureKind.JOB_FAILED, words, request_id=step.request_id))
        api = self.api
        assert isinstance(api, ComfyApi)
        return ResultKnown(step.request_id, api.view(ended.output), 0, step.details)


class ComfyUI(HttpBackend[ComfyuiHosts]):
    """Implements Backend."""

    _api_type = ComfyApi

    def __init__(
        self, context: BackendContext, where: ComfyuiHosts, clock: ClockFunctions | None = None
    ) -> None:
        super().__init__(context, lambda _: "", where, clock)
        self._wire: dict[str, Any] = wire(context.model)

    @classmethod
    def from_environment(cls, context: BackendContext) -> ComfyUI:
        """Raises `UsageError` for a server's address that is none."""
        return cls(context, from_environment(os.environ))

    async def prepare(self, image: Image, data: bytes) -> str:
        """The name of the image at the server; made from its content, so that it is there once."""
        check_is_image(image, data)
        name = f"{image.sha256[:32]}.{image.media_type.rpartition('/')[2]}"
        try:
            return await self._server.upload(name, image.media_type, data)
        except CallFailed as error:
            if error.failure.kind is not FailureKind.UNSENT:
                raise
            words = f"ComfyUI cannot be reached at {self._hosts.api}: start it, or name its address in {URL}"
            raise CallFailed(replace(error.failure, message=words)) from None

    async def submit(self, call: Call) -> Step:
        api, note = self._server, f"call {self._hosts.api} {call.job.key}"
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
        if await self._server.queued(prompt_id):
            return True
        ended = await self._server.ended(prompt_id, self._wire["output"])
        return ended is not None and ended.output is not None

    async def _poll(self, step: Accepted) -> ResultKnown:
        clock, warn = self._clock, self._tell
        poller = _ComfyuiPoller(
            self._api,
            self._pace,
            warn,
            clock.sleep,
            clock.monotonic,
            clock.wall,
            self._wire["output"],
        )
        return await poller.result(step)

    async def collect(self, step: Step) -> Step:
        done = await super().collect(step)
        if isinstance(done, Completed):
            await self._context.memory.forget(str(done.details.get(_NOTE, "")))
        return done

    def fetcher(self, step: ResultKnown) -> None:
        """The server is one that this machine reaches; another may not."""

    @property
    def _server(self) -> ComfyApi:
        api = self._api
        assert isinstance(api, ComfyApi)
        return api
