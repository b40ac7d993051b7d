"""The preview as a backend: decodes an image once, relights its cells in the pool of the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from relightflow.images import BadImage
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.step import Completed, Step
from relightflow.plugins.backend import Backend, Call
from relightflow.plugins.executor import Task
from relightflow.plugins.records import BackendContext


class Preview(Backend):
    """Free, deterministic, offline: nothing is sent and nothing is billed."""

    def __init__(self, context: BackendContext) -> None:
        self._parameters = {p.name: p for p in context.model.parameters}
        self._pool = context.pool

    async def prepare(self, image: Image, data: bytes) -> Any:
        """The image and its estimated shape. Raises `CallFailed` for a damaged image."""
        from relightflow.backends.preview.relight import prepare

        try:
            return await self._in_thread(prepare, data)
        except BadImage as bad:
            reason = f"{image.name} cannot be relit: {bad.reason}"
            raise CallFailed(Failure(FailureKind.BAD_IMAGE, reason)) from bad

    async def submit(self, call: Call) -> Step:
        """Relight one cell; completed at once. Raises `CallFailed` for a word it does not know."""
        from relightflow.backends.preview.relight import relit

        self._check(call.job)
        return Completed(await self._in_thread(relit, call.prepared, call.job.parameters), cost=0)

    def maker(self, job: Job) -> Callable[[bytes], bytes]:
        """The whole job at once. Raises `CallFailed` for a word it does not know."""
        from relightflow.backends.preview.relight import made

        self._check(job)
        return partial(made, job.image.name, job.parameters)

    def _check(self, job: Job) -> None:
        cell = job.parameters
        for name, parameter in self._parameters.items():
            problem = parameter.problem(cell.get(name))
            if problem:
                reason = f"{name} {cell.get(name)!r} {problem}"
                raise CallFailed(Failure(FailureKind.REFUSED_CELL, reason))

    async def collect(self, step: Step) -> Step:
        """Every submit is complete, so there is nothing to collect."""
        return step

    async def _in_thread(self, work: Any, *inputs: Any) -> Any:
        if self._pool is None:
            return await asyncio.to_thread(work, *inputs)
        return await asyncio.wrap_future(self._pool.submit(Task("relight", work, inputs)))
