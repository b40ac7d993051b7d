"""Reads an input image and has the backend prepare it, once for all the jobs that share it.

Plans are ordered by image, so a few prepared images are enough to keep. Bytes are read in a thread
and checked: what is sent is what was hashed.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from relightflow.errors import RefusedError
from relightflow.model.failure import CallFailed, Failure, Kind
from relightflow.model.image import Image
from relightflow.plugins.source import StaleImage
from relightflow.run.ondemand import OnDemand

KEPT = 4


class Inputs:
    def __init__(self, backend: OnDemand, read: Callable[[Image], bytes]) -> None:
        """`read` blocks and raises StaleImage; it is called in a thread."""
        self._backend = backend
        self._read = read
        self._prepared: OrderedDict[str, asyncio.Task[Any]] = OrderedDict()

    async def prepared(self, image: Image) -> Any:
        """What the backend's `prepare` made of `image`. Raises CallFailed; nothing was billed."""
        task = self._prepared.get(image.sha256)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = asyncio.ensure_future(self._prepare(image))
            self._prepared[image.sha256] = task
        self._prepared.move_to_end(image.sha256)
        while len(self._prepared) > KEPT:
            self._prepared.popitem(last=False)
        if task.done():
            return task.result()
        return await asyncio.shield(task)

    async def close(self) -> None:
        for task in self._prepared.values():
            task.cancel()
        await asyncio.gather(*self._prepared.values(), return_exceptions=True)
        self._prepared.clear()

    async def _prepare(self, image: Image) -> Any:
        backend = await self._backend.get()
        data = await asyncio.to_thread(self._checked, image)
        return await backend.prepare(image, data)

    def _checked(self, image: Image) -> bytes:
        try:
            data = self._read(image)
        except (StaleImage, RefusedError) as error:
            raise CallFailed(Failure(Kind.BAD_IMAGE, str(error))) from error
        except OSError as error:
            message = f"{image.name} cannot be read ({error.strerror}); not sent, not billed"
            raise CallFailed(Failure(Kind.BAD_IMAGE, message)) from error
        if hashlib.sha256(data).hexdigest() != image.sha256:
            message = (
                f"{image.name} changed since it was planned; not sent, not billed. "
                "Run again to plan with what it is now"
            )
            raise CallFailed(Failure(Kind.BAD_IMAGE, message))
        return data
