"""The ComfyUI backend: uploads the image, queues the operator's workflow, and fetches what it saved.

A call's name is noted under its job before it is queued, and a job that has a note is looked for at the server
first: what a killed run had queued is collected by the next one, and made once.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from relightflow.backends.comfyui import graph
from relightflow.backends.comfyui.server import (
    URL,
    ComfyApi,
    ComfyuiHosts,
    Ended,
    from_environment,
)
from relightflow.backends.http import sessions
from relightflow.backends.http.backend import HttpBackend
from relightflow.backends.http.download import Downloads, exempt
from relightflow.backends.http.inputs import check_is_image
from relightflow.backends.http.polling import ClockFunctions
from relightflow.backends.http.queue import Finished, QueuePoller, Repeats
from relightflow.backends.http.verdicts import still_open
from relightflow.model.catalog import Model
from relightflow.model.failure import Billed, CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job, job_without_secrets
from relightflow.model.step import Accepted, Completed, ResultKnown, Step
from relightflow.model.values import FrozenMap
from relightflow.network import apart
from relightflow.plugins.backend import Call
from relightflow.plugins.declared import wire
from relightflow.plugins.executor import TaskRefused
from relightflow.plugins.records import BackendContext, OperatorPolicy

_HANDED_OUT = 1024
"""More jobs than workers are asked to make at a time."""
_OF_THE_JOB = (FailureKind.JOB_FAILED, FailureKind.REFUSED_CELL, FailureKind.BAD_IMAGE)
"""Failures that every server would come to."""
_NOTE = "note"
"""Where a step's details hold what the backend's memory calls its job."""


@dataclass(frozen=True, slots=True)
class _ComfyuiPoller(QueuePoller[ComfyuiHosts]):
    """Follows queued calls to the file that they saved."""

    node: str
    """That saves the result."""

    longest = 6 * 3600.0

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
    """Implements Backend and HasMaker."""

    _api_type = ComfyApi

    def __init__(
        self, context: BackendContext, where: ComfyuiHosts, clock: ClockFunctions | None = None
    ) -> None:
        super().__init__(context, lambda _: "", where, clock)
        self._wire: dict[str, Any] = wire(context.model)
        self._handed_out: dict[str, str] = {}
        """Job key → the name of its call, for jobs that workers were asked to make."""

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
        handed_out = self._handed_out.pop(call.job.key, None)
        prompt_id = self._context.memory.recall(note) or handed_out
        if prompt_id is None or not await self._has(prompt_id):
            prompt_id = str(uuid.UUID(hex=call.name) if call.name else uuid.uuid4())
            await self._context.memory.remember(note, prompt_id)
            filled = graph.filled(self._wire, call.job.parameters, call.prepared)
            prompt_id = await api.submit(filled, prompt_id)
        details = {"submitted": self._clock.wall(), _NOTE: note}
        return Accepted(prompt_id, FrozenMap(details))

    def maker(self, job: Job) -> Callable[[bytes], bytes] | None:
        """None for what an earlier run has queued: it is collected here."""
        if self._context.memory.recall(f"call {self._hosts.api} {job.key}"):
            return None
        name = uuid.uuid4().hex
        self._handed_out[job.key] = str(uuid.UUID(hex=name))
        while len(self._handed_out) > _HANDED_OUT:  # most were made, and are never asked for here
            self._handed_out.pop(next(iter(self._handed_out)))
        return MadeApart(self._hosts.api, self._context.model, job_without_secrets(job), name)

    async def _has(self, prompt_id: str) -> bool:
        """Whether the server has the call: waiting, at work, or ended well."""
        if await self._server.queued(prompt_id):
            return True
        ended = await self._server.ended(prompt_id, self._wire["output"])
        return ended is not None and ended.output is not None

    @property
    def _poller(self) -> _ComfyuiPoller:
        node = self._wire["output"]
        return _ComfyuiPoller(self._api, self._pace, self._tell, self._clock, node)

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


@dataclass(frozen=True, slots=True)
class MadeApart:
    """Makes a job on a worker, at the ComfyUI server that the worker's environment names; without one, at the
    address that the run uses, which may be each machine's own. Implements what `HasMaker.maker` gives."""

    address: str
    model: Model
    job: Job
    name: str
    """Of the call; who does the task again finds it at the server."""
    seconds: float = 3600.0

    def __call__(self, data: bytes) -> bytes:
        try:
            return apart.run(self._made(data))
        except CallFailed as problem:
            if problem.failure.kind in _OF_THE_JOB:
                raise
            raise TaskRefused(f"a worker could not use ComfyUI ({problem})") from None

    async def _made(self, data: bytes) -> bytes:
        address = os.environ.get(URL) or self.address
        memory = _OneName(str(uuid.UUID(hex=self.name)))
        context = BackendContext(self.model, FrozenMap(), memory, lambda _: None, OperatorPolicy())
        backend = ComfyUI(context, from_environment({URL: address}))
        backend._opened = _kept(address)
        prepared = await backend.prepare(self.job.image, data)
        step = await backend.submit(Call(self.job, prepared, self.name))
        while not isinstance(step, Completed):
            step = await backend.collect(step)
        return step.data


@dataclass(frozen=True, slots=True)
class _OneName:
    """The memory of a worker, which makes one job; implements Memory."""

    prompt_id: str

    def recall(self, key: str) -> str:  # noqa: ARG002  it has one job
        return self.prompt_id

    async def remember(self, key: str, value: str) -> None:
        """The task bears it."""

    async def forget(self, key: str) -> None:
        """It ends with the task."""


@lru_cache(maxsize=4)
def _kept(address: str) -> tuple[ComfyApi, Downloads]:
    """The connections of a worker, until its process ends. Called in its loop."""
    where = from_environment({URL: address})
    api = ComfyApi(sessions.api_session(), where, "")
    downloads = Downloads(sessions.download_session(*exempt(where)), where)
    apart.at_exit(api.session)
    apart.at_exit(downloads.session)
    return api, downloads
