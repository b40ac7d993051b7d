"""Reads an input image and has the backend prepare it, once for all the jobs that share it.

Plans are ordered by image, so a few prepared images are enough to keep. Bytes are read in a thread
and checked: what is sent is what was hashed.
"""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from relightflow.errors import RefusedError
from relightflow.images import BadImage, portable
from relightflow.model.failure import CallFailed, Failure, FailureKind
from relightflow.model.image import Image
from relightflow.model.output_format import EXTENSIONS
from relightflow.plugins.executor import Task
from relightflow.plugins.source import URL_SECONDS, SourceUnavailable, StaleImage
from relightflow.run.jobs.remote import RemoteWork
from relightflow.run.lazy_backend import LazyBackend

T = TypeVar("T")
KEPT = 4
RENEWED = URL_SECONDS / 4
"""Seconds after which an image that goes by a signed URL gets a new one."""


class _CachedInput(NamedTuple):
    task: asyncio.Task[Any]
    until: float
    """On the monotonic clock."""


class InputCache:
    def __init__(
        self,
        backend: LazyBackend,
        read: Callable[[Image], bytes],
        public_url: Callable[[Image], str] = lambda image: image.url,
        now: Callable[[], float] = time.monotonic,
        verify: Callable[[bytes], None] | None = None,
        remote: RemoteWork | None = None,
    ) -> None:
        """`verify`: raises BadImage for what is not to be sent, although its header is sound. `read` and `public_url` block and raise StaleImage; they are called in a thread.
        `remote`: who verifies; None: a thread."""
        self._backend = backend
        self._read = read
        self._public_url = public_url
        self._now = now
        self._verify = verify
        self._remote = remote
        self._prepared: OrderedDict[str, _CachedInput] = OrderedDict()

    async def prepared(self, image: Image) -> Any:
        """What the backend's `prepare` made of `image`. Raises CallFailed; nothing was billed."""
        kept = self._prepared.get(image.sha256)
        if kept is None or _failed(kept.task) or self._now() > kept.until:
            by_url = image.delivery == "url"
            until = self._now() + RENEWED if by_url else math.inf
            kept = _CachedInput(asyncio.ensure_future(self._prepare(image)), until)
            self._prepared[image.sha256] = kept
        task = kept.task
        self._prepared.move_to_end(image.sha256)
        while len(self._prepared) > KEPT:
            self._prepared.popitem(last=False)
        if task.done():
            return task.result()
        return await asyncio.shield(task)

    async def close(self) -> None:
        tasks = [kept.task for kept in self._prepared.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._prepared.clear()

    async def _prepare(self, image: Image) -> Any:
        backend = await self._backend.get()
        if self._remote:
            with _named(image):
                found = await self._remote.prepare(backend, image, bool(self._verify))
            if found is not None:
                return found
        data = await asyncio.to_thread(self._checked, image)
        await self._verified(image, data)
        if image.media_type not in EXTENSIONS:
            data, media_type = await asyncio.to_thread(_converted, image, data)
            image = replace(image, media_type=media_type, size=len(data), delivery="")
        if image.delivery == "url":
            image = replace(image, url=await asyncio.to_thread(self._url, image))
        return await backend.prepare(image, data)

    def _checked(self, image: Image) -> bytes:
        data = _asked(self._read, image)
        if hashlib.sha256(data).hexdigest() != image.sha256:
            message = (
                f"{image.name} changed after it was planned; not sent, not billed. Run again to "
                "use its current content"
            )
            raise CallFailed(Failure(FailureKind.BAD_IMAGE, message))
        return data

    async def _verified(self, image: Image, data: bytes) -> None:
        """Decode what is to be sent, at a worker if there is one."""
        if self._verify is None:
            return
        with _named(image):
            if self._remote is None:
                await asyncio.to_thread(self._verify, data)
            elif not await self._remote.check_input(image):
                task = Task("check-input", self._verify, (data,))
                await asyncio.wrap_future(self._remote.workers.pool.submit(task))

    def _url(self, image: Image) -> str:
        return _asked(self._public_url, image)


@contextmanager
def _named(image: Image) -> Iterator[None]:
    """What is wrong with the image as a failure of its jobs."""
    try:
        yield
    except BadImage as error:
        message = f"{image.name}: {error.reason}; not sent, not billed"
        raise CallFailed(Failure(FailureKind.BAD_IMAGE, message)) from None


def _converted(image: Image, data: bytes) -> tuple[bytes, str]:
    """The bytes of an image in a form that providers take."""
    with _named(image):
        return portable(data)


def _failed(task: asyncio.Task[Any]) -> bool:
    return task.done() and bool(task.cancelled() or task.exception())


def _asked(source: Callable[[Image], T], image: Image) -> T:
    """What the source says of the image; its refusals as failures."""
    try:
        return source(image)
    except SourceUnavailable as error:
        message = f"{error}; not sent, not billed"
        raise CallFailed(Failure(FailureKind.UNSENT, message)) from error
    except (StaleImage, RefusedError) as error:
        raise CallFailed(Failure(FailureKind.BAD_IMAGE, str(error))) from error
    except OSError as error:
        message = f"{image.name} cannot be read ({error.strerror}); not sent, not billed"
        raise CallFailed(Failure(FailureKind.BAD_IMAGE, message)) from error
