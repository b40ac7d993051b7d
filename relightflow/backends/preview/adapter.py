"""The preview as a backend: decodes an image once, relights its cells in threads."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from relightflow.images import BadImage
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.step import Completed, Step
from relightflow.plugins.backend import Backend, Call
from relightflow.plugins.records import BackendContext

if TYPE_CHECKING:  # loads numpy and Pillow: only when the first image is there
    from concurrent.futures import ThreadPoolExecutor


class Preview(Backend):
    """Free, deterministic, offline: nothing is sent and nothing is billed."""

    def __init__(self, context: BackendContext) -> None:
        self._parameters = {p.name: p for p in context.model.parameters}
        self._threads: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """One thread a core: Pillow and numpy work outside the interpreter's lock."""
        import os
        from concurrent.futures import ThreadPoolExecutor

        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self._threads = ThreadPoolExecutor(cores or 1, thread_name_prefix="preview")

    async def close(self) -> None:
        """Waits for what is being relit, a fraction of a second; drops what has not begun."""
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown, wait=True, cancel_futures=True)

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

        cell = call.job.parameters
        for name, parameter in self._parameters.items():
            problem = parameter.problem(cell.get(name))
            if problem:
                reason = f"{name} {cell.get(name)!r} {problem}"
                raise CallFailed(Failure(FailureKind.REFUSED_CELL, reason))
        return Completed(await self._in_thread(relit, call.prepared, cell), cost=0)

    async def collect(self, step: Step) -> Step:
        """Every submit is complete, so there is nothing to collect."""
        return step

    async def _in_thread(self, work: Any, *inputs: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *inputs)
