"""What workers do for a job: check its input, fetch its result, or make it where that is free.

All of it may be done twice, and what no worker does is done here. A call that is billed is never among it.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from relightflow.executors.input_image import read_planned
from relightflow.executors.shared_blobs import SharedBlobs
from relightflow.executors.workers import Workers
from relightflow.images import probe, verify
from relightflow.model.failure import CallFailed
from relightflow.model.image import Image
from relightflow.model.job import Job
from relightflow.model.output_format import EXTENSIONS
from relightflow.model.step import Completed, ResultKnown, Step
from relightflow.plugins.backend import Backend, Call, HasFetcher, HasMaker, HasUploader
from relightflow.plugins.executor import ExecutorUnavailable, Task, TaskRefused
from relightflow.plugins.source import READER_SECONDS
from relightflow.run.shutdown import Shutdown
from relightflow.store.staged import Staged

T = TypeVar("T")
Read = Callable[[], bytes]
_KEPT = 4
"""Images whose readers are kept: plans are ordered by image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedResult(Completed):
    """An image that a worker has put into the blob store's folder; its `data` is not here."""

    file: Staged


class _KeptReader(NamedTuple):
    read: asyncio.Future[Read | None]
    until: float
    """On the monotonic clock."""


@dataclass(frozen=True, slots=True)
class RemoteWork:
    workers: Workers
    shutdown: Shutdown
    reader: Callable[[Image], Read | None] = lambda image: None  # noqa: ARG005
    """What reads an input image on a worker; None: only this process can. Blocks."""
    _readers: OrderedDict[tuple[int, str, str], _KeptReader] = field(default_factory=OrderedDict)

    async def _reader(self, image: Image) -> Read | None:
        """What reads `image` on a worker, for the next minutes."""
        key, now = (image.source, image.sha256, image.locator), time.monotonic()
        kept = self._readers.get(key)
        if kept is None or now > kept.until:
            asked = asyncio.ensure_future(asyncio.to_thread(self.reader, image))
            kept = self._readers[key] = _KeptReader(asked, now + READER_SECONDS / 3)
            while len(self._readers) > _KEPT:
                self._readers.popitem(last=False)
        return await asyncio.shield(kept.read)

    async def collect(self, backend: Backend, step: Step) -> Step:
        """As `Backend.collect`; a known result is downloaded by a worker, where there is one. Raises
        CallFailed, and Stopped where the run is leaving: the next run downloads it."""
        blobs = self.workers.shared("download")
        fetch = None
        if blobs and isinstance(step, ResultKnown) and isinstance(backend, HasFetcher):
            fetch = backend.fetcher(step)
        if blobs is None or fetch is None:
            return await backend.collect(step)
        assert isinstance(step, ResultKnown)
        found = await self._asked(Task("download", _download, (blobs, fetch)), blobs)
        if found is None:
            return await backend.collect(step)
        return _completed(found, Completed(b"", step.cost, step.request_id, step.details))

    async def prepare(self, backend: Backend, image: Image, decode: bool) -> Any:
        """What `Backend.prepare` gives of `image`, uploaded by a worker, which decodes it before if `decode`;
        None: it must be prepared here. Raises CallFailed, BadImage."""
        if not isinstance(backend, HasUploader) or not self.workers.shared("upload"):
            return None
        read = await self._reader(image) if image.media_type in EXTENSIONS else None
        if read is None:
            return None

        async def send(upload: Callable[[bytes], T]) -> T:
            given = (read, image.sha256, decode, upload)
            return await self.workers.run(Task("upload", _upload, given))

        try:
            return await backend.prepare_apart(image, send)
        except ExecutorUnavailable as problem:
            self.workers.unavailable(problem)
            return None

    async def maker(
        self, backend: Backend, job: Job
    ) -> Callable[[Prepare], Awaitable[Step]] | None:
        """What makes the whole job on a worker, given how to prepare it here if none does; None: the
        backend must be asked here. Only for backends that are free. Raises CallFailed."""
        name = making(job)
        blobs = self.workers.shared(name)
        if blobs is None or not isinstance(backend, HasMaker):
            return None
        read = await self._reader(job.image) if job.image.media_type in EXTENSIONS else None
        make = backend.maker(job) if read else None
        if read is None or make is None:
            return None
        seconds = getattr(make, "seconds", None)
        task = Task(name, _make, (blobs, read, job.image.sha256, make), seconds)

        async def made(prepare: Prepare) -> Step:
            found = await self._asked(task, blobs)
            if found is None:
                return await backend.submit(Call(job, await prepare()))
            return _completed(found, Completed(b"", cost=0))

        return made

    async def check_input(self, image: Image) -> bool:
        """Have a worker decode an input image, which is to be as it was planned. False: it must be done
        here. Raises BadImage."""
        read = await self._reader(image) if self.workers.shared("check-input") else None
        if read is None:
            return False
        try:
            await self.workers.run(Task("check-input", _check_input, (read, image.sha256)))
        except ExecutorUnavailable as problem:
            self.workers.unavailable(problem)
            return False
        return True

    async def _asked(self, task: Task[Staged | bytes], blobs: SharedBlobs) -> Staged | bytes | None:
        """What a worker made, if it is there to be seen; None: it must be made here."""
        try:
            with self.shutdown.collecting():
                found = await self.workers.run(task)
        except ExecutorUnavailable as problem:
            self.workers.unavailable(problem)
            return None
        if isinstance(found, Staged) and not found.is_there(blobs.root):
            missing = f"a worker's file did not appear in {blobs.root}"
            self.workers.unavailable(TaskRefused(missing))
            return None
        return found


def making(job: Job) -> str:
    """The name of the task that makes the whole job: workers may refuse it for one backend and not for another."""
    return f"make-{job.backend}"


def _completed(found: Staged | bytes, facts: Completed) -> Completed:
    """`facts` with what a worker made."""
    if isinstance(found, bytes):
        return replace(facts, data=found)
    return StagedResult(
        data=b"", cost=facts.cost, request_id=facts.request_id, details=facts.details, file=found
    )


Prepare = Callable[[], Awaitable[Any]]


def _download(blobs: SharedBlobs, fetch: Read) -> Staged | bytes:
    """Raises TaskRefused where the worker cannot fetch it: this machine tries itself, and says why."""
    blobs.check()
    try:
        data = fetch()
    except CallFailed as problem:
        raise TaskRefused(f"a worker could not download a result ({problem})") from None
    return blobs.stage(data)


def _make(
    blobs: SharedBlobs, read: Read, sha256: str, make: Callable[[bytes], bytes]
) -> Staged | bytes:
    blobs.check()
    return blobs.stage(make(read_planned(read, sha256)))


def _upload(read: Read, sha256: str, decode: bool, upload: Callable[[bytes], T]) -> T:
    """Raises BadImage, and TaskRefused where the worker cannot upload it: this machine tries itself, and
    says why."""
    data = read_planned(read, sha256)
    (verify if decode else probe)(data)
    try:
        return upload(data)
    except (OSError, CallFailed) as problem:
        raise TaskRefused(f"a worker could not upload an input image ({problem})") from None


def _check_input(read: Read, sha256: str) -> None:
    verify(read_planned(read, sha256))
